"""The trap notes the first signal, leaves at the second, and puts the old handlers back."""

from __future__ import annotations

import os
import signal

import pytest

from neuroevo.stopping import Generations, SignalReceived, SignalTrap


def test_first_signal_is_noted_and_the_old_handler_comes_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with SignalTrap() as trap:
        assert trap.exit_code is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert trap.received == {"SIGTERM"}
        assert trap.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) is before


def test_second_ending_signal_leaves_at_once() -> None:
    with SignalTrap() as trap:
        os.kill(os.getpid(), signal.SIGINT)
        assert trap.exit_code == 130
        with pytest.raises(SystemExit) as left:
            os.kill(os.getpid(), signal.SIGINT)
    assert left.value.code == 130


def test_signals_of_the_criterion_are_trapped_and_end_nothing_by_themselves() -> None:
    with SignalTrap(Generations(5) | SignalReceived("SIGUSR1")) as trap:
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert trap.received == {"SIGUSR1"}
        assert trap.exit_code is None
