"""The functions of `fixed_arithmetic` in C."""

from __future__ import annotations

from collections.abc import Mapping

_SHIFTED = """
typedef char NAME_shifts_keep_signs[(-1 >> 1) == -1 ? 1 : -1];

static inline int64_t NAME_shifted(int64_t v, int n)
{
    return (v + ((int64_t)1 << (n - 1))) >> n;
}
"""
_SCALED = """
static inline int64_t NAME_scaled(int32_t v, int32_t multiplier, int n)
{
    return NAME_shifted((int64_t)v * multiplier, n);
}
"""
_CLAMPED = """
static inline TYPE NAME_WORD(int64_t v)
{
    return (TYPE)(v > LARGEST ? LARGEST : v < -LARGEST ? -LARGEST : v);
}
"""
_HERMITE = """
static inline int32_t NAME_cubic(int32_t first, int32_t last, int32_t rise, int32_t end, int32_t t)
{
    const int32_t step = last - first;
    const int32_t third = rise + end - 2 * step;
    const int32_t second = 3 * step - 2 * rise - end;
    const int32_t inner = ((third * t + 8192) >> 14) + second;
    return first + (((((inner * t + 8192) >> 14) + rise) * t + 8192) >> 14);
}
"""
_TANH = """
static inline int32_t NAME_tanh(int32_t v)
{
    int32_t size = v < 0 ? -v : v;
    size = size < 524287 ? size : 524287;
    const int32_t a = NAME_tanhs[size >> 14], b = NAME_tanhs[(size >> 14) + 1];
    const int32_t rise = (32768 - (int32_t)((int64_t)a * a >> 15)) >> 2;
    const int32_t end = (32768 - (int32_t)((int64_t)b * b >> 15)) >> 2;
    const int32_t found = NAME_cubic(a, b, rise, end, size & 16383);
    return v < 0 ? -found : found;
}
"""
_LOGISTIC = """
static inline int32_t NAME_logistic(int32_t v)
{
    return (32768 + NAME_tanh(v >> 1) + 1) >> 1;
}
"""
_SOFTSIGN = """
static inline int32_t NAME_softsign(int32_t v)
{
    const int64_t size = v < 0 ? -(int64_t)v : v;
    const int32_t found = (int32_t)((size << 15) / (65536 + size));
    return v < 0 ? -found : found;
}
"""
_SOFTMAX = """
static inline void NAME_softmax(int32_t *y, int n)
{
    int32_t largest = y[0];
    int64_t sum = 0;
    for (int o = 1; o < n; o++)
        largest = y[o] > largest ? y[o] : largest;
    for (int o = 0; o < n; o++) {
        const int64_t below = (int64_t)y[o] - largest;
        const int32_t size = (int32_t)-NAME_scaled(below < -2031616 ? -2031616 : (int32_t)below, LOG2_E, LOG2_E_SHIFT);
        const int32_t a = NAME_powers[size >> 14 & 3], b = NAME_powers[(size >> 14 & 3) + 1];
        const int32_t rise = -(a * SLOPE >> 15), end = -(b * SLOPE >> 15);
        y[o] = (NAME_cubic(a, b, rise, end, size & 16383) * 32) >> (size >> 16 < 31 ? size >> 16 : 31);
        sum += y[o];
    }
    for (int o = 0; o < n; o++)
        y[o] = (int32_t)((int64_t)y[o] * 65536 / sum);
}
"""
_WINNERS = """
static inline void NAME_winners(int32_t *v, int n, int k)
{
    int32_t last = INT32_MAX;
    for (int i = 0; i < n; i++) {
        int larger = 0;
        for (int j = 0; j < n; j++)
            larger += v[j] > v[i];
        last = larger < k && v[i] < last ? v[i] : last;
    }
    for (int i = 0; i < n; i++)
        v[i] = v[i] >= last;
}
"""
_SUM = """
static inline int32_t NAME_sumBITSxWIDTH(const WEIGHT *w, int i, const intWIDTH_t *x, int n)
{
    int32_t sum = 0;
    for (int j = 0; j < n; j++)
        sum += ENTRY * x[j];
    return sum;
}
"""
_AT = """
static inline int32_t NAME_atBITS(const uint8_t *w, int i)
{
    return ENTRY;
}
"""
_NEEDS = {"logistic": {"tanh"}, "tanh": {"cubic"}, "softmax": {"cubic"}}
_ORDER = ("short", "wide", "cubic", "tanh", "logistic", "softsign", "softmax", "winners")


def text(needs: set[str], entries: Mapping[int, str]) -> str:
    """The functions of these names and those that they call.

    Args:
        needs: Names; "at4" reads an entry of 4 bits, "sum4x16" sums such entries times values of 16 bits.
        entries: How an entry of so many bits is read, by bits.
    """
    from neuroevo.export.fixed_point.arithmetic import LOG2_E, SLOPE

    found = set(needs)
    while more := {other for name in found for other in _NEEDS.get(name, ())} - found:
        found |= more
    texts = {
        "short": _CLAMPED.replace("TYPE", "int16_t").replace("WORD", "short").replace("LARGEST", "32767"),
        "wide": _CLAMPED.replace("TYPE", "int32_t").replace("WORD", "wide").replace("LARGEST", "INT32_MAX"),
        "cubic": _HERMITE, "tanh": _TANH, "logistic": _LOGISTIC, "softsign": _SOFTSIGN, "winners": _WINNERS,
    }  # fmt: skip
    texts["softmax"] = (
        _SOFTMAX.replace("LOG2_E_SHIFT", str(LOG2_E.shift))
        .replace("LOG2_E", str(LOG2_E.multiplier))
        .replace("SLOPE", str(SLOPE))
    )
    readers = [
        _AT.replace("BITS", name[2:]).replace("ENTRY", entries[int(name[2:])])
        for name in sorted(found)
        if name.startswith("at")
    ]
    for name in sorted(found):
        if name.startswith("sum"):
            bits, width = name.removeprefix("sum").split("x")
            reader = _SUM.replace("ENTRY", "(int32_t)w[i + j]" if bits == "8" else f"NAME_at{bits}(w, i + j)")
            reader = reader.replace("WEIGHT", "int8_t" if bits == "8" else "uint8_t")
            readers.append(reader.replace("BITS", bits).replace("WIDTH", width))
    return _SHIFTED + _SCALED + "".join([*(texts[name] for name in _ORDER if name in found), *readers])
