"""Without scikit-learn everything else works, and nothing imports it."""

from __future__ import annotations

import subprocess
import sys


def test_nothing_but_the_estimators_imports_scikit_learn() -> None:
    code = (
        "import sys, neuroevo as ne; [getattr(ne, name) for name in ne.__all__]; "
        "import neuroevo.experiment, neuroevo.cli; assert 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_estimators_say_what_they_need_where_it_is_not_installed() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None\nimport neuroevo as ne\n"
        "try:\n    import neuroevo.estimators\nexcept ne.BadInput as error:\n    print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said == 'the estimators need scikit-learn: pip install "neuroevo-rnn[sklearn]"\n'
