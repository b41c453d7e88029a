"""The plots of one run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neuroevo.errors import BadInput
from neuroevo.plots import style
from neuroevo.plots.episode import Episode, animate, draw_strip
from neuroevo.plots.times import Span
from neuroevo.problems.control.base import EpisodeProblem
from neuroevo.records import RecordError, RunRecord
from neuroevo.records.champion import CHAMPION_FILE
from neuroevo.records.files import own_subfolder
from neuroevo.records.record import PLOT_FOLDER


def plot_run(
    record: RunRecord,
    formats: Sequence[str] = style.FORMATS,
    *,
    folder: Path | None = None,
    span: Span | None = None,
    size: Sequence[float] | None = None,
    episode: Episode | None = None,
) -> list[Path]:
    """Draw error and fitness over the generations, the front, and the champion's predictions against the targets.

    Of a control problem the champion is drawn at work in an episode. What a record does not hold is left out: the
    predictions of a run that has no champion yet, or whose data were too large to store. Those of a problem that is
    made of neither sequences nor episodes are left out too, and its log says so.

    Args:
        record: A run, finished or not.
        formats: Of "png", "svg" and "pdf".
        folder: Where the files go; the record's ``plots`` where it is None.
        span: From which time to which predictions are drawn: as the column of times writes them ("2016-07" stands for
            all of July), or numbers of steps from 1 where there is no such column; None at an end leaves it open. None:
            all, or of a long series a stretch of each part, which the figure then names.
        size: Width and height of each figure in inches; None: what its panels need.
        episode: Which episode of a control problem is drawn, and how. None: the first that trains, without pictures
            that environments draw of themselves; one that can't be played is left out, and the log says so.

    Returns:
        The files.

    Raises:
        BadInput: The formats or the size can't be used, no row lies in the span, or there is no such episode.
        RecordError: The record is damaged, or holds no generation yet.
        RecordUnwritable: The machine refused.
    """
    from neuroevo.plots.curves import draw_curves
    from neuroevo.plots.free_runs import draw_free_runs
    from neuroevo.plots.front import draw_front
    from neuroevo.plots.prediction import draw_prediction
    from neuroevo.plots.series import Look
    from neuroevo.problems import NotSequences, as_sequences

    formats, size = style.checked_formats(formats), style.checked_size(size)
    history = record.history
    if not history.n_generations:
        raise RecordError(f"{record.path} holds no generation yet; there is nothing to draw")
    folder = own_subfolder(record.path / PLOT_FOLDER) if folder is None else style.made(folder)
    title = str(record.run.get("title") or record.name)
    with style.drawing(f"the history of {record.path}"):
        figure = draw_curves(history, title, _subtitle(record), record.error_name, size)
        paths = style.save(figure, folder, "curves", formats)
    if record.front is not None and len(record.front.goals) > 1:
        with style.drawing(f"the front of {record.path}"):
            figure = draw_front(record.front, title, _subtitle(record), size)
            paths += style.save(figure, folder, "front", formats)
    if not (record.path / CHAMPION_FILE).exists() or not record.run["data"].get("stored"):
        return paths
    task = record.problem
    if isinstance(task, EpisodeProblem):
        if span is not None:
            raise BadInput(f"{record.path} plays episodes: --part, --episode and --steps say what is drawn of them")
        return paths + _at_work(record, task, formats, folder, size, episode)
    if episode is not None and episode.asked:
        raise BadInput(f"{record.path} plays no episodes: --from and --to say which predictions are drawn")
    champion, network = record.champion, record.network
    try:
        problem = as_sequences(task, "no plot of predictions")
    except NotSequences as error:
        if folder.parent == record.path:  # somebody else's record may not be writeable
            record.log(str(error))
        return paths
    with style.drawing(f"the prediction of {record.path}"):
        if problem.free_run is not None:
            figure = draw_free_runs(network, champion.genome, problem, Look(title, span, size))
        else:
            outputs = network.predict_rows(champion.genome, problem.input_rows, problem.lengths)
            figure = draw_prediction(outputs, problem, Look(title, span, size))
        return paths + style.save(figure, folder, "prediction", formats)


def _at_work(
    record: RunRecord,
    problem: EpisodeProblem,
    formats: Sequence[str],
    folder: Path,
    size: style.Size | None,
    episode: Episode | None,
) -> list[Path]:
    """The champion of a control problem in one episode."""
    chosen = episode or Episode()
    try:
        trace = chosen.traced(problem, record.network, record.champion.genome, in_sight=episode is not None)
    except BadInput as error:
        if episode is not None:
            raise
        if folder.parent == record.path:
            record.log(f"no picture of the champion at work: {error}")
        return []
    title, subtitle = str(record.run.get("title") or record.name), chosen.words(problem, trace)
    with style.drawing(f"an episode of {record.path}"):
        figure = draw_strip(problem, trace, title, subtitle, size)
        paths = style.save(figure, folder, "episode", formats)
        if chosen.animate:
            paths.append(animate(problem, trace, title, subtitle, size, folder / "episode.gif"))
    return paths


def _subtitle(record: RunRecord) -> str:
    reason = record.stop_reason
    if reason is not None:
        end = f"stopped: {reason.message}"
    else:
        end = f"{record.status}, {record.history.n_generations:,} generations so far"
    kind, genes, seed = record.run["network"].get("kind"), record.run["network"].get("n_genes"), record.run.get("seed")
    return f"{kind}, {genes} genes · seed {seed} · {end}"
