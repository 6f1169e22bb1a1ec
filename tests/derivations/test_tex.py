"""The reader reads TeX as a person does, and says so when it cannot."""

from fractions import Fraction

import pytest

from .pages import Equation
from .prove import Context, prove, read_entry


def verdict(tex, *definitions, label="eq-under-test"):
    """The verdict on an equation below these definitions."""
    context = Context({}, {})
    for number, definition in enumerate(definitions):
        entry = read_entry(Equation(f"def-{number}", definition, "test.md", number, 0), context)
        assert prove(entry).holds, prove(entry)
        context = _after(entry)
    return prove(read_entry(Equation(label, tex, "test.md", 9, 0), context))


def _after(entry):
    from .prove import after

    return after(entry)


MEAN = r"\mu = \frac{1}{N} \sum_{i=1}^{N} x_i"
VARIANCE = r"\sigma^2 = \frac{1}{N} \sum_{i=1}^{N} (x_i - \mu)^2"
S = r"s = \sqrt{\sigma^2 + \varepsilon}"
X_HAT = r"\hat{x}_i = \frac{x_i - \mu}{s}"
Y = r"y_i = \gamma \hat{x}_i + \beta"
LAYER = (MEAN, VARIANCE, S, X_HAT, Y)
SIGMOID = r"\operatorname{sigmoid}(z) = \frac{1}{1 + e^{-z}}"
BN = r"\operatorname{BN}_{\varepsilon}(x)_i = \gamma \hat{x}_i + \beta"


@pytest.mark.parametrize(
    "tex",
    [
        r"2 + 3 \cdot 4 = 14",
        r"2 - 3 - 4 = -5",
        r"-2^2 = -4",
        r"2 a^2 = a \cdot a + a a",
        r"(2 a)^2 = 4 a^2",
        r"a / 2 \cdot 4 = 2 a",
        r"\frac12 + \tfrac{1}{2} = 1",
        r"\frac1N N = 1",
        r"2^{3^2} = 512",
        r"4^{\frac12} = \sqrt{4} = 4^{1/2} = 2",
        r"\sqrt[3]{8} = 2",
        r"a^{-2} = \frac{1}{a^2}",
        r"\left( a + b \right) \bigl( a - b \bigr) = a^2 - b^2",
        r"|a|^2 = \left| a \right|^2 = \lvert a \rvert^2 = a^2",
        r"e^{a} e^{b} = \exp(a + b)",
        r"\underbrace{a + b}_{\text{a name}} = b + a",
        r"\max(0, a) + \min(0, a) = a",
        r"\frac{a}{b} \Big/ 2 = \frac{a}{2 b}",
        r"0.5 \cdot 2 = 1.",
    ],
)
def test_precedence_and_products(tex):
    assert verdict(tex).holds, verdict(tex)


@pytest.mark.parametrize(
    "tex",
    [
        r"\sum_{i=1}^{N} x_i - N \mu = \left( \sum_{i=1}^{N} x_i \right) - N \mu = 0",
        r"\sum_i x_i \mu = N \mu^2",
        r"\sum_{i=1}^{N} \sum_{k=1}^{N} x_i x_k = \sum_i x_i \sum_k x_k = N^2 \mu^2",
        r"\sum_{k \ne i} x_k = N \mu - x_i",
        r"\sum_k \delta_{ik} x_k = x_i",
        r"\sum^{N}_{i=1} 1 = N",
        r"\prod_{i=1}^{N} (2 x_i) = 2^N \prod_{i=1}^{N} x_i",
    ],
)
def test_sums_take_the_product_behind_them(tex):
    assert verdict(tex, MEAN).holds, verdict(tex, MEAN)


@pytest.mark.parametrize(
    "tex",
    [
        r"\sigma^4 = (\sigma^2)^2, \quad \sigma = \sqrt{\sigma^2}",
        r"\begin{aligned} \sigma^2 &= \frac1N \sum_i x_i^2 - \mu^2 \\[4pt] &= \sigma \sigma \end{aligned}",
        r"\begin{aligned} & \sum_i (x_i - \mu)^2 \\ &\quad = N \\ &\qquad \cdot \sigma^2 \end{aligned}",
        r"\hat{x}_i^2 = \hat{x}^2_i",
        r"y_i = x_i \qquad (\gamma = s,\ \beta = \mu)",
        r"y_i = \beta \qquad \text{if } \gamma = 0",
        r"\begin{aligned} y_i &= \gamma \hat{x}_i + \beta \\ &= \beta \qquad (\gamma = 0) \end{aligned}",
        r"\begin{aligned} y_i &= \beta \\ &= \mu \\ &\qquad (\gamma = 0, \beta = \mu) \end{aligned}",
        r"\mu = 5, \quad \sigma^2 = 4 \qquad (x = (2, 4, 4, 4, 5, 5, 7, 9))",
        r"\sigma^2 = \frac{(x_1 - x_2)^2}{4} \qquad (N = 2)",
        r"\hat{x}_i^2 \le N - 1 \qquad (\varepsilon = 0)",
    ],
)
def test_chains_and_conditions(tex):
    assert verdict(tex, *LAYER).holds, verdict(tex, *LAYER)


@pytest.mark.parametrize(
    "tex",
    [
        r"\frac{\partial \mu}{\partial x_i} = \frac{1}{N}",
        r"\frac{\partial \sigma^2}{\partial x_i} = \frac{2 (x_i - \mu)}{N}",
        r"\frac{\partial \hat{x}_i}{\partial \sigma^2} = -\frac{\hat{x}_i}{2 s^2}",
        r"\left. \frac{\partial \hat{x}_i}{\partial x_k} \right|_{\mu, \sigma^2} = \frac{\delta_{ik}}{s}",
        r"s \frac{\partial \hat{x}_i}{\partial x_k} = \delta_{ik} - \frac1N - \frac{\hat{x}_i \hat{x}_k}{N}",
        r"\frac{\partial \hat{x}_i}{\partial x_k} = -\frac{1 + \hat{x}_i \hat{x}_k}{N s} \qquad (i \ne k)",
        r"\frac{\partial x_i}{\partial x_k} = 0 \qquad (i \ne k, a \ne 0)",
        r"\frac{\partial L}{\partial y_i} = g_i, \quad \frac{\partial L}{\partial \beta} = \sum_i g_i",
        r"\partial L/\partial \gamma = \sum_i g_i \hat{x}_i",
        r"\frac{\partial L}{\partial x_i} = \frac{\gamma}{N s} (N g_i - \sum_k g_k - \hat{x}_i \sum_k g_k \hat{x}_k)",
        r"\sum_i \frac{\partial L}{\partial x_i} \hat{x}_i = \frac{\gamma \varepsilon}{s^3} \sum_i g_i \hat{x}_i",
    ],
)
def test_derivatives_go_through_all_definitions_and_hold_for_every_n(tex):
    assert verdict(tex, *LAYER).status == "proved for every N", verdict(tex, *LAYER)


def test_functions():
    assert verdict(
        r"\operatorname{sigmoid}'(z) = \operatorname{sigmoid}(z) (1 - \operatorname{sigmoid}(z))", SIGMOID
    ).holds
    assert verdict(r"f(a + b) - f(a) - f(b) = 2 a b", r"f(z) = z^2").holds
    assert verdict(
        r"\operatorname{BN}_{\varepsilon}(a x + b)_i = \operatorname{BN}_{\varepsilon/a^2}(x)_i \qquad (a > 0)",
        *LAYER,
        BN,
    ).holds
    assert verdict(
        r"\operatorname{BN}_{\varepsilon}(a x) = \operatorname{BN}_{\varepsilon/a^2}(x) \qquad (a > 0)", *LAYER, BN
    ).holds
    assert not verdict(
        r"\operatorname{BN}_{\varepsilon}(a x)_i = \operatorname{BN}_{\varepsilon/a^2}(x)_i", *LAYER, BN
    ).holds  # a < 0


def test_a_definition_for_one_feature_says_nothing_of_several():
    assert "unknown symbol \\hat{x}_{1,1}" in verdict(r"\hat{x}_{ij} = 0", *LAYER).reason


def test_a_sample_of_its_own_is_like_any_other():
    assert verdict(r"\hat{x}_1 + \hat{x}_2 = \frac{x_1 + x_2 - 2 \mu}{s}", *LAYER).status == "proved for every N"


@pytest.mark.parametrize(
    "tex",
    [
        r"\sum_i \hat{x}_i = 1",
        r"\sum_i \hat{x}_i^2 = N",  # true at ε = 0 only
        r"\sum_i \hat{x}_i^2 = \frac{N \sigma^2}{\sigma^2 - \varepsilon}",
        r"\sigma^2 = \frac{1}{N} \sum_i x_i^2 + \mu^2",
        r"\sigma^2 = \frac{1}{N - 1} \sum_i (x_i - \mu)^2",
        r"y_i = x_i \qquad (\gamma = s)",
        r"\begin{aligned} y_i &= \beta \\ &= \beta \qquad (\gamma = 0) \end{aligned}",  # line 1 does without
        r"\frac{\partial \hat{x}_i}{\partial x_k} = \frac{\delta_{ik}}{s}",
        r"\hat{x}_i^2 \le N - 2 \qquad (\varepsilon = 0)",
        r"a < 0",
        r"\frac{\partial x_i}{\partial x_k} = 0 \qquad (a \ne 0)",
    ],
)
def test_a_wrong_identity_is_refused(tex):
    assert verdict(tex, *LAYER).status == "does not hold"


@pytest.mark.parametrize(
    ("tex", "complaint"),
    [
        (r"\mu = \theta", r"unknown symbol \theta"),
        (r"\mu_c = 0", r"unknown symbol \mu_{1}"),
        (r"x_i = x_k \omega_k", r"unknown symbol \omega"),
        (r"\operatorname{softmax}(a) = 1", "unknown function softmax"),
        (r"\sum_{k=1}^{N} x_i = N x_k", "the index k is summed and used outside"),
        (r"a/b c = 1", "two ways"),
        (r"a = b + \dots", r"\dots is not in the subset"),
        (r"\mu \approx 0", "approx- label"),
        (r"\mathbf{x} = 0", r"\mathbf is not in the subset"),
        (r"\hat{x_i} = 0", "takes one letter"),
        (r"x^{(t)} = 0", "bracketed superscript"),
        (r"a = b \text{ because}", "cannot read"),
        (r"a = b \qquad \text{in the mean}", "words in an equation"),
        (r"a + b", "without a relation"),
        (r"a = ", "empty expression"),
        (r"(a + b = c", "without a relation"),
        (r"a = \frac{1}{b - b}", "division by zero"),
        (r"\sqrt{-1 - a^2} = a", "even root of a negative"),
        (r"a = a \qquad (\mu = 0)", r"sets \mu, which is not free"),
        (r"a = a \qquad (a^2 < 0)", "met by no draw"),
        (r"x_i = a \qquad (i \ne i)", "never met"),
        (r"60\,000 = 0", "two numbers side by side"),
        (r"x_{12} = 0", "write commas"),
        (r"a = a \qquad (a)", "without a relation"),
        (r"x_{ij} = x_{ir}", "the index r has no range"),
        (r"x_i = 1 \\ x_k", "without a relation"),
        (r"e = 3", "base of the exponential"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(tex, complaint):
    found = verdict(tex, MEAN)
    assert not found.holds
    assert found.label == "eq-under-test"
    assert complaint in found.reason


@pytest.mark.parametrize(
    ("tex", "complaint"),
    [
        (r"\mu = 0", "already defined by def-0"),
        (r"x_i = 0", "is free"),
        (r"N = 3", "is a size"),
        (r"r_i = x_k", "the index k stands on the right only"),
        (r"r_{ii} = x_i", "stands twice"),
        (r"r + q = a", "one symbol"),
        (r"r = a \qquad (a > 0)", "unconditional"),
        (r"r = r + 1", "leads back to itself"),
        (r"r = v", "unknown symbol v"),
        (r"\operatorname{f}(x_i) = a", "defined for letters"),
    ],
)
def test_a_definition_introduces_one_new_symbol(tex, complaint):
    found = verdict(tex, MEAN, label="def-under-test")
    assert not found.holds
    assert complaint in found.reason


def test_a_definition_may_go_on_as_a_chain_and_then_must_hold():
    assert verdict(r"r = \sum_i (x_i - \mu) = 0", MEAN, label="def-r").holds
    assert verdict(r"r = \sum_i (x_i - \mu) = 1", MEAN, label="def-r").status == "does not hold"


def test_a_recursion_starts_from_a_free_value():
    step = r"\bar{\mu}_t = (1 - \alpha) \bar{\mu}_{t-1} + \alpha b"
    assert verdict(r"\bar{\mu}_t = (1 - \alpha)^t \bar{\mu}_0 + (1 - (1 - \alpha)^t) b", step).holds


def test_approximations_must_say_so():
    assert verdict(r"a \approx b", label="approx-a").holds
    assert not verdict(r"a = b", label="approx-a").holds


def test_numbers_stay_exact():
    from .arithmetic import power, root

    assert root(Fraction(9, 4)) == Fraction(3, 2)
    assert isinstance(root(Fraction(9, 4)), Fraction)
    assert power(Fraction(4), Fraction(-3, 2)) == Fraction(1, 8)
