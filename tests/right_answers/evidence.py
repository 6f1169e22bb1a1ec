"""Right answers to the assignment `evidence`: an experiment, its effects, their interval, the verdict, fair rates."""

import math

import numpy as np

# experiment


def experiment_by_comprehension(train, seeds, quantity):
    bn = np.array([train("bn", seed)[quantity] for seed in seeds])
    plain = np.array([train("plain", seed)[quantity] for seed in seeds])
    return bn, plain


def experiment_pair_by_pair(train, seeds, quantity):
    bn, plain = [], []
    for seed in seeds:
        with_bn = train("bn", seed)
        without = train("plain", seed)
        bn.append(with_bn[quantity])
        plain.append(without[quantity])
    return bn, plain


def experiment_into_arrays(train, seeds, quantity):
    n = len(seeds)
    bn, plain = np.zeros(n), np.zeros(n)
    for i in range(n):
        bn[i] = train("bn", int(seeds[i]))[quantity]
        plain[i] = train("plain", int(seeds[i]))[quantity]
    return bn, plain


def experiment_as_a_table(train, seeds, quantity):
    table = np.empty((2, len(seeds)))
    for row, arm in enumerate(("bn", "plain")):
        for column, seed in enumerate(seeds):
            table[row, column] = train(arm, seed)[quantity]
    return table


def experiment_by_dictionary(train, seeds, quantity):
    results = {}
    for arm in ["plain", "bn"]:
        results[arm] = []
        for s in seeds:
            results[arm].append(train(arm=arm, seed=s)[quantity])
    return results["bn"], results["plain"]


def experiment_by_zip(train, seeds, quantity):
    pairs = [(train("bn", s)[quantity], train("plain", s)[quantity]) for s in list(seeds)]
    bn, plain = zip(*pairs, strict=True)
    return np.asarray(bn), np.asarray(plain)


# paired_effects


def effects_in_two_branches(bn, plain, ratio=False):
    if ratio:
        return np.log(bn / plain)
    return bn - plain


def effects_by_difference_of_logs(bn, plain, ratio=False):
    if ratio:
        bn, plain = np.log(bn), np.log(plain)
    return bn - plain


def effects_in_a_loop(bn, plain, ratio=False):
    effects = []
    for one, other in zip(bn, plain, strict=True):
        effects.append(math.log(one) - math.log(other) if ratio else one - other)
    return effects


def effects_by_index(bn, plain, ratio=False):
    effects = np.zeros(len(bn))
    for i in range(len(bn)):
        if ratio:
            effects[i] = math.log(bn[i] / plain[i])
        else:
            effects[i] = bn[i] - plain[i]
    return effects


def effects_by_subtract(bn, plain, ratio=False):
    change = np.log if ratio else np.array
    return np.subtract(change(bn), change(plain))


# interval


def interval_in_one_line(effects, t_quantile, confidence=0.95):
    n = len(effects)
    reach = t_quantile((1 + confidence) / 2, n - 1) * effects.std(ddof=1) / np.sqrt(n)
    return effects.mean() - reach, effects.mean() + reach


def interval_staged(effects, t_quantile, confidence=0.95):
    n = effects.size
    mean = np.sum(effects) / n
    variance = np.sum((effects - mean) ** 2) / (n - 1)
    standard_error = np.sqrt(variance / n)
    alpha = 1 - confidence
    t = t_quantile(1 - alpha / 2, n - 1)
    low = mean - t * standard_error
    high = mean + t * standard_error
    return low, high


def interval_with_biased_deviation(effects, t_quantile, confidence=0.95):
    n = effects.shape[0]
    error = np.std(effects) / np.sqrt(n - 1)
    t = t_quantile(0.5 + confidence / 2, n - 1)
    return np.array([effects.mean() - t * error, effects.mean() + t * error])


def interval_in_plain_python(effects, t_quantile, confidence=0.95):
    n = len(effects)
    mean = sum(effects) / n
    s = math.sqrt(sum((one - mean) ** 2 for one in effects) / (n - 1))
    reach = t_quantile(probability=(1 + confidence) / 2, degrees=n - 1) * s / math.sqrt(n)
    return mean - reach, mean + reach


def interval_from_the_lower_quantile(effects, t_quantile, confidence=0.95):
    n = len(effects)
    center = np.mean(effects)
    error = np.sqrt(np.var(effects, ddof=1) / n)
    low = center + t_quantile((1 - confidence) / 2, n - 1) * error
    return [low, 2 * center - low]


# verdict


def verdict_in_order(low, high, smallest):
    if low >= smallest:
        return "yes"
    if high <= -smallest:
        return "opposite"
    if high < smallest:
        return "no"
    if low > 0:
        return "some"
    return "open"


def verdict_with_elif(low, high, smallest):
    if smallest <= low:
        answer = "yes"
    elif low > 0 and high >= smallest:
        answer = "some"
    elif high < smallest and high > -smallest:
        answer = "no"
    elif high <= -smallest:
        answer = "opposite"
    else:
        answer = "open"
    return answer


def verdict_by_the_upper_end(low, high, smallest):
    if high < smallest:
        return "opposite" if high <= -smallest else "no"
    if low <= 0:
        return "open"
    return "yes" if low >= smallest else "some"


def verdict_in_units(low, high, smallest):
    low, high = low / smallest, high / smallest
    if low >= 1:
        return "yes"
    if high <= -1:
        return "opposite"
    if high < 1:
        return "no"
    if low > 0:
        return "some"
    return "open"


def verdict_by_numpy_word(low, high, smallest):
    conditions = [low >= smallest, high <= -smallest, high < smallest, low > 0]
    return np.select(conditions, ["yes", "opposite", "no", "some"], "open").item()


# best_rates


def rates_by_argmax(train, rates, seeds):
    found = []
    for arm in ("bn", "plain"):
        scores = [np.mean([train(arm, rate, seed)["validation_accuracy"] for seed in seeds]) for rate in rates]
        found.append(rates[int(np.argmax(scores))])
    return found[0], found[1]


def rates_by_running_best(train, rates, seeds):
    best = {}
    for arm in ["bn", "plain"]:
        best_score = -1.0
        for rate in rates:
            total = 0.0
            for seed in seeds:
                total += train(arm, rate, seed)["validation_accuracy"]
            score = total / len(seeds)
            if score > best_score:
                best_score = score
                best[arm] = rate
    return best["bn"], best["plain"]


def rates_from_a_table(train, rates, seeds):
    table = np.zeros((2, len(rates), len(seeds)))
    for i, arm in enumerate(("bn", "plain")):
        for j, rate in enumerate(rates):
            for k, seed in enumerate(seeds):
                table[i, j, k] = train(arm, rate, seed)["validation_accuracy"]
    best = table.mean(axis=2).argmax(axis=1)
    return rates[best[0]], rates[best[1]]


def rates_by_sum(train, rates, seeds):
    bn_sums = [sum(train("bn", r, s)["validation_accuracy"] for s in seeds) for r in rates]
    plain_sums = [sum(train("plain", r, s)["validation_accuracy"] for s in seeds) for r in rates]
    return rates[bn_sums.index(max(bn_sums))], rates[plain_sums.index(max(plain_sums))]


def rates_by_sorting(train, rates, seeds):
    chosen = []
    for arm in ("bn", "plain"):
        scored = []
        for rate in rates:
            runs = [train(arm=arm, rate=rate, seed=seed) for seed in seeds]
            scored.append((np.mean([run["validation_accuracy"] for run in runs]), rate))
        scored.sort()
        chosen.append(scored[-1][1])
    return np.array(chosen)


# predictions


def predictions_for_two():
    return {
        "high_rate": (50, 5, "weights that grow get smaller steps, so a rate that is too large does no harm"),
        "faster": (2.0, 1.25, "the early steps are not wasted on finding the scale of each layer"),
    }


def predictions_of_no_effect():
    return {
        "small_batches": (0.0, 2.0, "I think that four examples are enough, because every batch is another one"),
        "small_start": (20.5, 1.0, "tiny weights give tiny inputs, and dividing by the deviation undoes just that"),
    }


def predictions_against_the_claim():
    result = {}
    result["faster"] = [0.8, 1.1, "each step is noisier, so it will need more of them than the plain network does"]
    result["small_batches"] = [-3.0, 0.5, "noise from the batch acts like a penalty and should help a little here"]
    return result


def predictions_by_dict():
    large = "an input of any scale leaves the layer with the same one, whatever came in before"
    told = dict.fromkeys(["small_start", "high_rate"])
    told["small_start"] = (60.0, 10.0, large)
    told["high_rate"] = (40.0, 10.0, "a large step does not make the next larger: " + large)
    return told


def predictions_with_numpy():
    why = "running averages lag behind when every batch has only four examples in it"
    return {
        "small_batches": (np.float64(5.0), np.float64(1.0), why),
        "faster": (np.exp(0.3), 1.2, "I believe it: all layers can learn at once, the first ones too"),
    }


RIGHT = {
    "experiment": [
        (experiment_by_comprehension,),
        (experiment_pair_by_pair,),
        (experiment_into_arrays,),
        (experiment_as_a_table,),
        (experiment_by_dictionary,),
        (experiment_by_zip,),
    ],
    "paired_effects": [
        (effects_in_two_branches,),
        (effects_by_difference_of_logs,),
        (effects_in_a_loop,),
        (effects_by_index,),
        (effects_by_subtract,),
    ],
    "interval": [
        (interval_in_one_line,),
        (interval_staged,),
        (interval_with_biased_deviation,),
        (interval_in_plain_python,),
        (interval_from_the_lower_quantile,),
    ],
    "verdict": [
        (verdict_in_order,),
        (verdict_with_elif,),
        (verdict_by_the_upper_end,),
        (verdict_in_units,),
        (verdict_by_numpy_word,),
    ],
    "best_rates": [
        (rates_by_argmax,),
        (rates_by_running_best,),
        (rates_from_a_table,),
        (rates_by_sum,),
        (rates_by_sorting,),
    ],
    "predictions": [
        (predictions_for_two,),
        (predictions_of_no_effect,),
        (predictions_against_the_claim,),
        (predictions_by_dict,),
        (predictions_with_numpy,),
    ],
}
