"""`weave`: the block in which tasks are declared, and what starts them at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from types import FunctionType, TracebackType
from typing import TYPE_CHECKING, Any, Literal

from wove.declaration import check_task_options, decorated, name_of
from wove.graph import UNMAPPED, Node, Plan, connect, plan
from wove.layers import Layers
from wove.loops import run_to_end
from wove.nested import OnOtherLoop
from wove.options import MAPPING_OPTIONS, TASK_OPTIONS, WEAVE_OPTIONS, check_options
from wove.outcome import Outcome
from wove.result import RESERVED, WoveResult
from wove.runtime import runtime
from wove.scheduler import CURRENT, Run
from wove.sessions import Sessions
from wove.template import Weave, instance_of, tasks_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from wove.background import Background
    from wove.executors.records import RunRecord
    from wove.options import TaskOptionValues

__all__ = ["weave"]

_OPTIONS = TASK_OPTIONS | WEAVE_OPTIONS


class weave:  # noqa: N801 - it reads as a statement: `with weave() as w`
    """A block whose functions form a graph by their parameters' names.

    Use it as `with weave() as w:` or `async with weave() as w:`. The tasks run
    when the block ends; if the block raises, nothing runs.

    Args:
        parent_weave: a `Weave` class whose tasks come first.
        debug: print the plan before the run.
        on_done: called with the result after a background run, and only then; sync or
            async.
        **given: any option of a task or weave (see `wove.options`); every other
            keyword is data that tasks can ask for by name.

    Raises:
        TypeError: `parent_weave` is not a `Weave` class, or `on_done` no callable.
        ValueError: a wrong value of an option, or options that do not go together.
        NameError: a keyword bears a reserved name.
    """

    def __init__(
        self,
        /,  # a keyword may be called `self` too
        parent_weave: type[Weave] | None = None,
        *,
        debug: bool = False,
        on_done: Callable[[WoveResult], Any] | None = None,
        **given: Any,
    ) -> None:
        options = {name: given.pop(name) for name in _OPTIONS & given.keys()} if given else {}
        if options:
            check_options(options, _OPTIONS, "weave()")
        for name in given:
            _check_name(name, "Keyword")
        self._options = options
        self._layers = Layers(runtime, options)
        self._settings = self._layers.settings
        self._debug = debug
        self._on_done = on_done
        if on_done is not None and not callable(on_done):
            raise TypeError(f"on_done must be a callable, not {type(on_done).__name__!r}")
        self._data = {**given, "data": given}
        self._nodes: dict[str, Node] = {}
        self._plan: Plan | None = None
        self._state: Literal["new", "open", "ended"] = "new"
        self._background: Background | None = None
        self._outcome = Outcome(
            self._nodes, self._data, self._settings.error_mode, self._layers.is_local
        )
        self._sessions = Sessions(self._layers)
        self._run: Run | None = None
        self.result = WoveResult(self._outcome)
        """The results, once the block has ended."""
        self._parent = parent_weave
        if parent_weave is not None:
            self._adopt(parent_weave)

    def _adopt(self, parent: type[Weave]) -> None:
        if not (isinstance(parent, type) and issubclass(parent, Weave)):
            raise TypeError(f"weave() takes a Weave class, not {parent!r}: pass the class itself")
        instance = instance_of(parent)
        for name, (source, options) in tasks_of(parent).items():
            self._add(name, getattr(instance, name), source, options)

    # --- declaring ---

    def do(self, source: Any = UNMAPPED, /, **options: Unpack[TaskOptionValues]) -> Any:
        """Declare a task: `@w.do`, `@w.do(source, **options)`, or `w.do(function)`.

        Args:
            source: run once per item of this iterable, or of the result of the task
                or keyword of this name.
            **options: the task's options (see `wove.options`).

        Returns:
            The function unchanged, or a decorator that returns it unchanged.

        Raises:
            TypeError: an unknown option, or a callable without a name.
            ValueError: a wrong value of an option.
            NameError: the task would bear a reserved name.
        """
        if type(source) is FunctionType and not options:
            self._add(source.__name__, source, UNMAPPED, None)
            return source
        given = dict(options)

        def declare(function: Any, source: Any) -> Any:
            checked = check_task_options(given, source, "do()")
            self._add(name_of(function), function, source, checked or None)
            return function

        return decorated(declare, source, given, "do()")

    def _add(self, name: str, function: Any, source: Any, given: dict[str, Any] | None) -> None:
        if self._state == "ended":
            raise RuntimeError(f"Task {name!r} is declared after the end of its weave's block")
        if name in RESERVED or name == "data":
            _check_name(name, "Task")
        overridden = self._nodes.get(name)
        if overridden is not None and overridden.given:
            given = {
                **overridden.given,
                **{n: v for n, v in (given or {}).items() if v is not None},
            }
            if source is UNMAPPED:
                given = {n: v for n, v in given.items() if n not in MAPPING_OPTIONS}
        self._nodes[name] = Node(name, function, source, given)

    # --- running ---

    def __enter__(self) -> weave:
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._state = "ended"
        if kind is not None:
            return
        if self._settings.background:
            self._start_background()
        else:
            self.run_blocking()
            self._raise_failure()

    async def __aenter__(self) -> weave:
        self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._state = "ended"
        if kind is not None:
            return
        if self._settings.background:
            self._start_background()
        else:
            outer = _outer()
            if outer is None or outer.loop is asyncio.get_running_loop():
                await self._execute()
            else:
                with outer.nested.holding(OnOtherLoop()):
                    await self._execute()
            self._raise_failure()

    def _open(self) -> None:
        if self._state != "new":
            raise RuntimeError("a weave runs once: make a new one for another block")
        self._state = "open"

    def run_blocking(self, watch: Callable[[Callable[[], None]], None] | None = None) -> None:
        """Run the tasks and return when they have ended; failures are in the result.

        The end of the block does this; background runs call it on their thread.

        Args:
            watch: called with what stops the run from another thread, as Ctrl-C would.

        Raises:
            Exception: the weave itself is wrong: an unknown name, a cycle, an
                environment that is not there or cannot start.
        """
        # In the background it goes on by itself, whatever becomes of the weave it began in.
        outer = _outer() if watch is None else None
        run_to_end(
            self._execute,
            self._abandon,
            watch,
            outer=outer.nested if outer is not None else None,
            interrupt_inner=self._interrupt_inner,
        )

    async def _execute(self) -> None:
        try:
            await self._prepared().execute()
            broken = self._sessions.broken
            if broken is not None and any(e is broken for e in self._outcome.errors.values()):
                raise broken
        except BaseException as error:
            if self._outcome.exception is None:
                self._outcome.exception = error
            self._outcome.settle()
            raise

    def _prepared(self) -> Run:
        """Check everything that can be checked before anything runs."""
        nodes, layers = self._nodes, self._layers
        connect(nodes, self._data, self._options)
        self._plan = None
        for node in nodes.values():
            node.options = layers.resolve(node.given, mapped=node.source is not UNMAPPED)
        self._outcome.begin()
        if self._debug:
            from wove.debug import print_debug_report

            print_debug_report(plan(nodes, self._data), nodes, self.result)
        self._run = Run(
            nodes,
            self._outcome,
            self._sessions,
            layers.resolve,
            max_workers=self._settings.max_workers,
            max_pending=self._settings.max_pending,
        )
        return self._run

    def _interrupt_inner(self) -> None:
        if self._run is not None:
            self._run.nested.interrupt()

    def _abandon(self) -> None:
        if self._run is not None:
            self._run.abandon()

    def _raise_failure(self) -> None:
        error = self._outcome.exception
        # Ctrl-C may have reached a task, where the program has no handler that asks first.
        always = isinstance(error, KeyboardInterrupt)
        if error is not None and (always or self._settings.error_mode == "raise"):
            self._outcome.fail_with(error)

    def _start_background(self) -> None:
        from wove.background import Background

        self._background = Background(self, self._on_done, fork=self._settings.fork)

    def to_fork(self) -> partial[weave]:
        """What makes this weave again, with the configuration, in a detached process.

        Its arguments are those of `_restored`.
        """
        tasks = [(n.name, n.function, n.source, n.given) for n in self._nodes.values()]
        return partial(
            _restored, runtime.snapshot(), self._options, self._data["data"], self._debug, tasks
        )

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of a background weave.

        Args:
            timeout: seconds to wait at most.

        Returns:
            Whether it has ended. A failure is in `result.exception`.

        Raises:
            RuntimeError: the weave has not been started in the background.
        """
        if self._background is None:
            raise RuntimeError(
                "only a weave(background=True) whose block has ended can be waited for"
            )
        return self._background.wait(timeout)

    # --- looking at it ---

    @property
    def errors(self) -> dict[str, BaseException]:
        """Exceptions by task, as `result.errors`, whatever the tasks are called."""
        return self._outcome.errors

    @property
    def runs(self) -> list[RunRecord]:
        """One record per run, as `result.runs`, whatever the tasks are called."""
        return self._outcome.records()

    @property
    def execution_plan(self) -> Plan | None:
        """The plan as data (see `wove.graph.plan`); `None` before the run."""
        if self._plan is None and self._run is not None:
            self._plan = plan(self._nodes, self._data)
        return self._plan

    def graph(self, format: Literal["mermaid", "dot", "svg"] = "mermaid") -> str:  # noqa: A002
        """Draw the tasks and their dependencies.

        Args:
            format: `mermaid` and `dot` give those languages, `svg` a picture.

        Raises:
            ValueError: an unknown format.
            Exception: what the run would raise for the graph; before it only.
        """
        from wove.drawing import draw

        if self._run is not None:
            return draw(self._nodes, format)
        copies = {n: Node(n, o.function, o.source, o.given) for n, o in self._nodes.items()}
        connect(copies, self._data, self._options)
        return draw(copies, format)


def _outer() -> Run | None:
    """The run of the weave in one of whose tasks this is called."""
    run = CURRENT.get(None)
    return None if run is None or run.closed else run


def _restored(
    configuration: dict[str, Any],
    options: dict[str, Any],
    data: dict[str, Any],
    debug: bool,
    tasks: list[tuple[str, Any, Any, dict[str, Any] | None]],
) -> weave:
    runtime.restore(configuration)
    # Not background: that is what the process is already.
    w = weave(debug=debug, **{**options, "background": False, "fork": False}, **data)
    for name, function, source, given in tasks:
        w._add(name, function, source, given)
    return w


def _check_name(name: str, what: str) -> None:
    if name == "data":
        raise NameError(f"{what}: 'data' is a reserved name: it is the dictionary of all keywords")
    if name in RESERVED:
        raise NameError(f"{what} name {name!r} conflicts with a built-in attribute of WoveResult")
