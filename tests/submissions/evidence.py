"""What students hand in to `evidence`.

The marking rules: what an exercise asks (in the docstring of each property) is worth the points in its decorator. An
interval with 1.96 loses what asks for few effects, 4 of 16; other seeds in the plain arm lose all that compares the
arms; whether a claim holds, or was predicted, is worth nothing. What does not run is worth nothing.
"""

from .submission import Submission

FULL = {
    "check-experiment": 16,
    "check-paired-effects": 10,
    "check-interval": 16,
    "check-verdict": 14,
    "check-best-rates": 10,
    "check-predictions": 6,
    "check-sign-flip-test": 10,
}

SHORT = {
    "experiment": """
        bn = np.array([train("bn", seed)[quantity] for seed in seeds])
        plain = np.array([train("plain", seed)[quantity] for seed in seeds])
        return bn, plain
    """,
    "paired_effects": "return np.log(bn / plain) if ratio else bn - plain",
    "interval": """
        n = len(effects)
        reach = t_quantile(0.5 + confidence / 2, n - 1) * effects.std(ddof=1) / np.sqrt(n)
        return effects.mean() - reach, effects.mean() + reach
    """,
    "verdict": """
        if low >= smallest:
            return "yes"
        if high <= -smallest:
            return "opposite"
        if high < smallest:
            return "no"
        return "some" if low > 0 else "open"
    """,
    "best_rates": """
        chosen = []
        for arm in ("bn", "plain"):
            scores = [np.mean([train(arm, rate, s)["validation_accuracy"] for s in seeds]) for rate in rates]
            chosen.append(rates[np.argmax(scores)])
        return chosen
    """,
    "predictions": """
        return {
            "faster": (1.4, 1.1, "the inputs of every layer keep their scale from one step to the next"),
            "high_rate": (50, 10, "a large step makes the weights larger, and then the next steps count for less"),
        }
    """,
    "sign_flip_test": """
        sums = [0.0]
        for effect in effects:
            sums = [s + effect for s in sums] + [s - effect for s in sums]
        return np.mean(np.abs(sums) >= abs(sum(effects)) - 1e-9)
    """,
}
"""As those write it who know NumPy."""


def but(*names: str, **points: float) -> dict[str, float]:
    """Full marks, but nothing for these, and less for those."""
    kept = {name: value for name, value in FULL.items() if name not in names}
    return kept | {name.replace("_", "-"): value for name, value in points.items()}


SUBMISSIONS = (
    Submission("right-and-short", SHORT, FULL, written={"argument-answer": "(a) I predicted 1.4, and it came out ..."}),
    Submission(
        "right-with-loops",
        {
            "experiment": """
                bn, plain = [], []
                for i in range(len(seeds)):
                    bn.append(train("bn", seeds[i])[quantity])
                    plain.append(train("plain", seeds[i])[quantity])
                return bn, plain
            """,
            "paired_effects": """
                effects = np.zeros(len(bn))
                for i in range(len(bn)):
                    if ratio:
                        effects[i] = np.log(bn[i]) - np.log(plain[i])
                    else:
                        effects[i] = bn[i] - plain[i]
                return effects
            """,
            "interval": """
                n, mean = len(effects), 0.0
                for effect in effects:
                    mean += effect / n
                squares = 0.0
                for effect in effects:
                    squares += (effect - mean) ** 2
                error = (squares / (n - 1) / n) ** 0.5
                t = t_quantile(1 - (1 - confidence) / 2, n - 1)
                return [mean - t * error, mean + t * error]
            """,
            "verdict": """
                answer = "open"
                if low > 0:
                    answer = "some"
                if high < smallest:
                    answer = "no"
                if high <= -smallest:
                    answer = "opposite"
                if low >= smallest:
                    answer = "yes"
                return answer
            """,
            "best_rates": """
                best = {}
                for arm in ["bn", "plain"]:
                    highest = 0
                    for rate in rates:
                        total = 0
                        for seed in seeds:
                            total = total + train(arm, rate, seed)["validation_accuracy"]
                        if total > highest:
                            highest = total
                            best[arm] = rate
                return best["bn"], best["plain"]
            """,
            "predictions": """
                result = dict()
                result["small_start"] = (0, 3, "I do not think that the start matters, training repairs it soon")
                result["small_batches"] = (-2, 1, "more noise means more regularization, so the test error goes down")
                return result
            """,
            "sign_flip_test": """
                n, count = len(effects), 0
                for k in range(2**n):
                    total = 0.0
                    for i in range(n):
                        total += effects[i] if k // 2**i % 2 == 0 else -effects[i]
                    if abs(total) > abs(sum(effects)) - 1e-8:
                        count += 1
                return count / 2**n
            """,
        },
        FULL,
    ),
    Submission(  # a table for a pair, the biased deviation with n - 1 below the root, the p-value by matrices
        "right-with-tables",
        SHORT
        | {
            "experiment": """
                return np.array([[train(arm, s)[quantity] for s in seeds] for arm in ("bn", "plain")])
            """,
            "paired_effects": "f = np.log if ratio else np.asarray\nreturn np.subtract(f(bn), f(plain))",
            "interval": """
                n = effects.size
                t = t_quantile((1 + confidence) / 2, n - 1)
                return np.mean(effects) + np.array([-t, t]) * np.std(effects) / np.sqrt(n - 1)
            """,
            "best_rates": """
                table = np.array(
                    [[[train(a, r, s)["validation_accuracy"] for s in seeds] for r in rates] for a in ("bn", "plain")]
                )
                return np.asarray(rates)[table.mean(axis=-1).argmax(axis=-1)]
            """,
            "sign_flip_test": """
                n = len(effects)
                from itertools import product

                signs = np.array(list(product([1, -1], repeat=n)))
                sums = np.round(np.abs(signs @ effects), 9)
                return (sums >= np.round(abs(effects.sum()), 9)).mean()
            """,
        },
        FULL,
    ),
    Submission(  # prints and plots are noise, and nothing is lost by them; neither by a slow way
        "right-slow-with-prints-and-plots",
        SHORT
        | {
            "experiment": """
                print("training", len(seeds), "pairs")
                results = {"bn": [], "plain": []}
                for seed in seeds:
                    for arm in results:
                        run = train(arm, seed)
                        print(arm, seed, run)
                        results[arm].append(run[quantity])
                plt.plot(results["bn"], results["plain"], "o")
                plt.close()
                return np.array(results["bn"]), np.array(results["plain"])
            """,
            "interval": "import math\n\n\ndef interval(effects, t_quantile, confidence=0.95):\n"
            "    n = len(effects)\n    m = math.fsum(effects) / n\n"
            "    pairs = sum((a - b) ** 2 for a in effects for b in effects) / (2 * n * (n - 1))\n"
            "    reach = t_quantile((1 + confidence) / 2, n - 1) * math.sqrt(pairs / n)\n"
            "    return m - reach, m + reach\n\n\nprint(interval(np.array([1.0, 2.0]), lambda p, df: 12.7))",
            "sign_flip_test": """
                effects = [float(effect) for effect in effects]

                def sums(rest):
                    if not rest:
                        return [0.0]
                    others = sums(rest[1:])
                    return [rest[0] + s for s in others] + [s - rest[0] for s in others]

                seen = abs(sum(effects))
                hits = [s for s in sums(effects) if abs(s) >= seen or np.isclose(abs(s), seen)]
                return len(hits) / 2 ** len(effects)
            """,
        },
        FULL,
    ),
    Submission(
        "half-done",
        {name: SHORT[name] for name in ("experiment", "paired_effects", "interval")},
        {name: FULL[name] for name in ("check-experiment", "check-paired-effects", "check-interval")},
    ),
    Submission(  # pairs are torn apart at every step
        "unpaired",
        SHORT
        | {
            # bn's array is right (3), both have the right shape (2), the seeds stay (1)
            "experiment": """
                bn = [train("bn", seed)[quantity] for seed in seeds]
                return bn, [train("plain", seed + 1)[quantity] for seed in seeds]
            """,
            "paired_effects": """
                bn, plain = np.sort(bn), np.sort(plain)
                return np.log(bn / plain) if ratio else bn - plain
            """,  # the shape: 1
            "interval": """
                n = len(effects)
                reach = t_quantile((1 + confidence) / 2, 2 * n - 2) * effects.std(ddof=1) / np.sqrt(n)
                return effects.mean() - reach, effects.mean() + reach
            """,  # 4 for few effects
        },
        but(check_experiment=6, check_paired_effects=1, check_interval=12),
        {
            "check-experiment": "different_seeds_in_the_arms",
            "check-paired-effects": "sorted_before",
            "check-interval": "n_minus_2_degrees",
        },
    ),
    Submission(  # as in many a report: 1.96, and significant or not
        "normal-and-significant",
        SHORT
        | {
            "interval": """
                reach = 1.96 * np.std(effects) / np.sqrt(len(effects))
                return effects.mean() - reach, effects.mean() + reach
            """,  # 4 for few effects, 2 for the confidence
            "verdict": """
                if low > 0:
                    return "yes"
                if high < 0:
                    return "opposite"
                return "no"
            """,  # nothing but that it is one of the words
        },
        but(check_interval=10, check_verdict=1),
        {"check-interval": "normal_quantile"},
    ),
    Submission(  # everything is chosen so that it looks good
        "flattering",
        SHORT
        | {
            "experiment": """
                runs = [(train("bn", seed), train("plain", seed)) for seed in seeds]
                runs = [(bn, plain) for bn, plain in runs if not bn.get("diverged") and not plain.get("diverged")]
                return np.array([bn[quantity] for bn, _ in runs]), np.array([plain[quantity] for _, plain in runs])
            """,  # 2 for keeping what diverged
            "verdict": """
                mean = (low + high) / 2
                if mean >= smallest:
                    return "yes"
                return "opposite" if mean <= -smallest else "no"
            """,  # one of the words: 1
            "best_rates": SHORT["best_rates"].replace("validation_accuracy", "test_accuracy"),  # 2, and 1 for the mean
            "predictions": """
                return {
                    "faster": (1.4, 1.0, "the inputs of every layer keep their scale from one step to the next"),
                    "high_rate": (50, 0, "a large step makes the weights larger, and then the next steps count less"),
                }
            """,  # 2 for effects that matter
        },
        but(check_experiment=14, check_verdict=1, check_best_rates=7, check_predictions=4),
        {
            "check-experiment": "divergence_dropped",
            "check-verdict": "mean_alone",
            "check-best-rates": "chosen_on_the_test_data",
        },
    ),
    Submission(
        "one-mistake-in-each",
        {
            "experiment": SHORT["experiment"].replace("[quantity]", '["test_accuracy"]'),  # 3 for the quantity
            "paired_effects": "return bn / plain if ratio else bn - plain",  # 3 for the logarithm, 1 for whole numbers
            "interval": SHORT["interval"].replace("/ np.sqrt(n)", ""),  # 4 for the width, 4 for few, 2 for confidence
            "verdict": """
                if low >= smallest:
                    return "yes"
                if high <= -smallest:
                    return "opposite"
                if low > 0:
                    return "some" if high >= smallest else "no"
                return "no"
            """,  # 3 for no, 2 for open, 1 for the edges
            "best_rates": """
                scores = [np.mean([train("bn", rate, s)["validation_accuracy"] for s in seeds]) for rate in rates]
                best = rates[np.argmax(scores)]
                return best, best
            """,  # the grid 1, bn 2, no other seeds 1
            "predictions": """
                return {"faster": (1.4, 1.1, "it is faster"), "high_rate": (50, 10, "it is more stable")}
            """,  # 1 for the reasons
            "sign_flip_test": """
                n = len(effects)
                from itertools import product

                sums = [np.dot(signs, effects) for signs in product([1, -1], repeat=n)]
                return np.mean(np.array(sums) >= effects.sum() - 1e-9)
            """,  # a share: 1
        },
        {
            "check-experiment": 13,
            "check-paired-effects": 6,
            "check-interval": 6,
            "check-verdict": 8,
            "check-best-rates": 4,
            "check-predictions": 5,
            "check-sign-flip-test": 1,
        },
        {
            "check-experiment": "quantity_ignored",
            "check-paired-effects": "ratio_without_its_logarithm",
            "check-interval": "root_of_n_forgotten",
            "check-verdict": "not_significant_read_as_no",
            "check-best-rates": "only_one_arm_tuned",
            "check-sign-flip-test": "one_direction",
        },
    ),
    Submission(  # right but for a detail, which costs little
        "small-slips",
        SHORT
        | {
            "paired_effects": "if ratio:\n    return np.log(bn / plain)\nbn -= plain\nreturn bn",  # 1: bn is changed
            "interval": SHORT["interval"].replace("n - 1", "n"),  # 4 for few effects
            "verdict": SHORT["verdict"].replace("low >= smallest", "low > smallest"),  # 1 for the edges
            "best_rates": SHORT["best_rates"].replace("for s in seeds", "for s in seeds[:1]"),  # 1 for the mean
            "sign_flip_test": """
                sums = [0.0]
                for effect in effects:
                    sums = [s + effect for s in sums] + [s - effect for s in sums]
                return np.mean(np.abs(sums) >= abs(sum(effects)))
            """,  # 2: ties that rounding hides
        },
        but(
            check_paired_effects=9,
            check_interval=12,
            check_verdict=13,
            check_best_rates=9,
            check_sign_flip_test=8,
        ),
        {
            "check-interval": "n_degrees_of_freedom",
            "check-verdict": "edge_of_yes",
            "check-best-rates": "first_seed_only",
        },
    ),
    Submission(  # the luckiest run, another try, effects against the claim
        "the-best-of-several",
        SHORT
        | {
            "experiment": """
                seeds = list(seeds)

                def trained(arm, seed):
                    run = train(arm, seed)
                    while run["diverged"]:
                        seed = seed + 1
                        run = train(arm, seed)
                    return run[quantity]

                return [trained("bn", s) for s in seeds], [trained("plain", s) for s in seeds]
            """,  # 2 for keeping what diverged
            "paired_effects": "return np.log(plain / bn) if ratio else plain - bn",  # the shape: 1
            "interval": SHORT["interval"].replace("0.5 + confidence / 2", "confidence"),  # 4 + 4 + 2
            "best_rates": SHORT["best_rates"].replace("np.mean([", "np.max(["),  # 1 for the mean
            "predictions": "return {'faster': (1.4, 1.1, 'the inputs of every layer keep their scale in all steps')}",
        },
        but(
            "check-predictions",  # one claim: none of what is asked of two
            check_experiment=14,
            check_paired_effects=1,
            check_interval=6,
            check_best_rates=9,
        ),
        {
            "check-experiment": "tried_again_until_it_trains",
            "check-paired-effects": "the_other_way_round",
            "check-interval": "one_sided_probability",
            "check-best-rates": "luckiest_run",
        },
    ),
    Submission(  # renamed, deleted, broken, without an end: each costs its own cell
        "cells-lost",
        SHORT
        | {
            "experiment": "def run_experiment(train, seeds, quantity):\n    return [1.0], [2.0]",
            "paired_effects": "while True:\n    pass",
            "interval": "return (effects.mean() - t_quantile(0.975, len(effects) - 1)",
            "best_rates": "return best_of(train, rates, seeds)",
        },
        {name: FULL[name] for name in ("check-predictions", "check-sign-flip-test")},
        deleted=("verdict",),
    ),
    Submission(  # returns nothing, or something else
        "returns-forgotten",
        SHORT
        | {
            "experiment": "bn = np.array([train('bn', seed)[quantity] for seed in seeds])\nreturn bn",
            "verdict": "print('yes' if low >= smallest else 'open')",
            "interval": "reach = t_quantile(0.975, len(effects) - 1)",
            "best_rates": SHORT["best_rates"].replace("rates[np.argmax(scores)]", "np.argmax(scores)"),
            "predictions": "return ['faster', 'high_rate']",
        },
        but("check-experiment", "check-verdict", "check-interval", "check-best-rates", "check-predictions"),
        {"check-best-rates": "place_for_rate"},
    ),
)
