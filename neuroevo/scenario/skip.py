"""The key `skip` of [network] where it asks for more than genes: links held at a least-squares fit.

A resolved scenario has the numbers, ``skip = { fitted = [[...]] }``. They hold as long as the problem is the one that
they were fitted to; where the problem is made from its table again, so are they.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neuroevo.problems import as_sequences
from neuroevo.problems.links import fitted_links
from neuroevo.registry import nearest
from neuroevo.settings import Mistake, SettingsError, shown

if TYPE_CHECKING:
    from neuroevo.networks import Network
    from neuroevo.problems import Problem

FITTED = "fitted"
_LINKS = "weight_skip"
_WANTED = f'must be true, false or "{FITTED}"'


def asks_for_fit(values: Mapping[str, Any]) -> bool:
    """Whether a network's settings ask for fitted links, or have them.

    Raises:
        SettingsError: `skip` is something else that no network takes, or does not go with the other settings.
    """
    skip = values.get("skip", False)
    if isinstance(skip, bool):
        return False
    if skip != FITTED and not (isinstance(skip, Mapping) and set(skip) == {FITTED}):
        hint = f"did you mean {FITTED!r}?" if isinstance(skip, str) and nearest(skip, [FITTED]) else ""
        raise SettingsError([Mistake("network.skip", _WANTED, shown(skip), hint)])
    mistakes = []
    activation = values.get("output_activation", "linear")
    if activation != "linear":
        what = f'"{FITTED}" fits sums to targets, and with output_activation = {activation!r} the outputs are no sums'
        mistakes.append(Mistake("network.skip", what, hint="set skip = true, or leave output_activation out"))
    fixed = values.get("fixed")
    if isinstance(fixed, Mapping) and _LINKS in fixed:
        mistakes.append(Mistake(f"network.fixed.{_LINKS}", f'skip = "{FITTED}" decides it', hint="leave one out"))
    if mistakes:
        raise SettingsError(mistakes)
    return True


def with_fit(values: Mapping[str, Any], problem: Problem, known: bool) -> dict[str, Any]:
    """The settings of the network whose links are held at the fit.

    Args:
        values: Settings that ask for it.
        problem: What it is fitted to.
        known: Whether numbers in the settings were fitted to this very problem.

    Raises:
        BadInput: The problem is not made of sequences.
    """
    skip, fixed = values["skip"], values.get("fixed") or {}
    if known and isinstance(skip, Mapping):
        links = skip[FITTED]
    else:
        links = fitted_links(as_sequences(problem, f'skip = "{FITTED}"'))
    return {**values, "skip": True, "fixed": {**fixed, _LINKS: links}}


def refitted(table: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of a resolved scenario for other data: links that were fitted to its own are asked for anew."""
    network = table["network"]
    is_fitted = isinstance(network.get("skip"), Mapping)
    return {**table, "network": {**network, "skip": FITTED}} if is_fitted else dict(table)


def resolved_with_fit(network: Network) -> dict[str, Any]:
    """The settings of such a network as a resolved scenario has them."""
    settings = network.settings()
    fixed = {name: array for name, array in settings.pop("fixed").items() if name != _LINKS}
    links = network.fixed[_LINKS].tolist()  # type: ignore[attr-defined]
    return {**settings, "skip": {FITTED: links}, **({"fixed": fixed} if fixed else {})}
