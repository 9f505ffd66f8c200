"""What an eclass does is kept for the next ebuild: nothing may come of that but speed."""

# ruff: noqa: E501 (a script is best read on one line)

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fidelity_maker import Made, overlays
from hypothesis import given
from hypothesis import strategies as st
from real_bash import examples

from overlaylint.overlay.eclass_effects import EclassEffects, Effect
from overlaylint.overlay.evaluation import Evaluation, Evaluator, evaluate
from overlaylint.overlay.metadata import metadata
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.shared import MOST_SCRIPT_BYTES, Shared
from overlaylint.overlay.substitution_effects import SubstitutionEffects
from overlaylint.shell.state import Positional
from overlaylint.shell.syntax import Function
from overlaylint.shell.values import Mixed, Unknown
from overlaylint.tree import DirectoryTree, OverlaidTree


class Unused(EclassEffects):
    """Keeps nothing."""

    def add(self, eclass: str, effect: Effect) -> None:
        pass


class UnusedSubstitutions(SubstitutionEffects):
    """Keeps nothing."""

    def call(self, *_: object) -> None:
        return None


def keeping_nothing(repository: Repository) -> Repository:
    repository.__dict__["eclass_effects"] = Unused()
    repository.__dict__["substitution_effects"] = UnusedSubstitutions()
    return repository


def repository(empty: Path, made: Made) -> Repository:
    files = {
        "profiles/repo_name": b"overlay\n",
        "profiles/categories": b"cat\n",
        "metadata/layout.conf": b"masters =\n",
        **{f"eclass/{name}.eclass": text.encode() for name, text in made.eclasses.items()},
        **{
            f"cat/{package}/{package}-{version}.ebuild": text.encode()
            for (package, version), text in made.ebuilds.items()
        },
    }
    return Repository(OverlaidTree(DirectoryTree(empty), files))


def shown(value: object) -> object:
    """Return a value in which equal places are equal, though each has a source of its own."""
    if isinstance(value, Unknown):
        place = value.source.place(value.start, value.end) if value.source else (None, 0, 0)
        name = place[0].name if place[0] else ""
        return (value.reason, name, place[1:], value.symbol, value.is_word, value.is_many)
    if isinstance(value, Mixed):
        return tuple(map(shown, value.parts))
    if isinstance(value, Mapping):
        # in the order of its keys, since bash lists an associative array by when they came
        return [(key, shown(one)) for key, one in value.items()]
    if isinstance(value, tuple | list):
        return [shown(one) for one in value]
    if isinstance(value, Positional):
        return (shown(value.words), shown(value.rest))
    return value


def everything(evaluation: Evaluation) -> Mapping[str, object]:
    """Return all that an evaluation tells, the places included."""
    state = evaluation.state
    found = metadata(evaluation)
    return {
        "metadata": (found.values, shown(found.unknown)),
        "variables": {
            name: (
                shown(variable.value),
                variable.flags,
                variable.source and variable.source.place(variable.start, variable.end)[1:],
                variable.source and variable.source.place(0, 0)[0].name,
            )
            for name, variable in state.scopes[0].items()
        },
        "functions": {
            name: (function.source.name, function.start, function.end)
            if isinstance(function, Function)
            else shown(function)
            for name, function in state.functions.items()
        },
        "options": (state.options, state.shell_options, shown(state.havoc)),
        "positional": shown(state.positional),
        "inherited": (evaluation.inherited, evaluation.explicitly_inherited, evaluation.missing),
        "failures": (evaluation.failure, shown(evaluation.possible_failures)),
    }


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("empty")


def agree(empty: Path, made: Made, order: list[int]) -> None:
    """Check that ebuilds come to the same in any order as they do each on its own."""
    alone = keeping_nothing(repository(empty, made))
    together = repository(empty, made)
    ebuilds = list(together.ebuilds)
    expected = {str(ebuild): everything(evaluate(ebuild)) for ebuild in alone.ebuilds}
    for number in order:
        ebuild = ebuilds[number % len(ebuilds)]
        assert everything(evaluate(ebuild)) == expected[str(ebuild)], ebuild


@given(made=overlays(), order=st.lists(st.integers(0, 9), min_size=3, max_size=9))
@examples(300)
def test_the_order_of_ebuilds_does_not_matter(empty: Path, made: Made, order: list[int]) -> None:
    agree(empty, made, order)


@given(revisions=st.lists(overlays(most_ebuilds=3), min_size=2, max_size=3), data=st.data())
@examples(150)
def test_revisions_share_what_they_do(
    empty: Path, revisions: list[Made], data: st.DataObject
) -> None:
    """Each of them takes over some eclasses and ebuilds of the one before."""
    # What was forgotten is found out again.
    most_bytes = data.draw(st.sampled_from([1, 200, MOST_SCRIPT_BYTES]))
    shared = Shared(most_bytes=most_bytes, most_evaluations=data.draw(st.sampled_from([1, 8])))
    eclasses: dict[str, str] = {}
    ebuilds: dict[tuple[str, str], str] = {}
    for made in revisions:
        eclasses = {**made.eclasses, **some_of(data, eclasses)}
        ebuilds = {**made.ebuilds, **some_of(data, ebuilds)}
        whole = Made(eclasses, ebuilds)
        alone = keeping_nothing(repository(empty, whole))
        together = repository(empty, whole)
        shared.serve(together)
        for ebuild, other in zip(together.ebuilds, alone.ebuilds, strict=True):
            expected = everything(evaluate(other))
            values, lost = expected["metadata"]
            assert dict(ebuild.metadata.values) == values, ebuild
            assert ebuild.metadata.unknown.keys() == dict(lost).keys(), ebuild
            assert everything(ebuild.evaluation) == expected, ebuild
        shared.forget()


def some_of(data: st.DataObject, kept: dict[Any, str]) -> dict[Any, str]:
    names = data.draw(st.sets(st.sampled_from(sorted(kept)))) if kept else ()
    return {name: kept[name] for name in names}


def test_a_revision_takes_what_the_one_before_found(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Shared()
    ebuilds = {("one", str(n)): f"EAPI=8\ninherit one\nSLOT={n}" for n in range(3)}
    eclasses = {"one": "inherit two\nIUSE=x", "two": "RDEPEND=a/b", "three": ":"}
    evaluated: list[str] = []
    evaluator = Evaluator.evaluate

    def evaluate(self: Evaluator, *arguments: object) -> Evaluation:
        evaluated.append(self.ebuild.PVR)
        return evaluator(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Evaluator, "evaluate", evaluate)

    def look(changed: Mapping[str, str], more: Mapping[tuple[str, str], str]) -> list[str]:
        made = repository(empty, Made({**eclasses, **changed}, {**ebuilds, **more}))
        shared.serve(made)
        evaluated.clear()
        for ebuild in made.ebuilds:
            assert ebuild.metadata.values["IUSE"] == "x"
        shared.forget()
        return sorted(evaluated)

    assert look({}, {}) == ["0", "1", "2"]
    assert look({"three": "die"}, {}) == []
    assert look({}, {("one", "1"): "EAPI=7\ninherit one\nSLOT=9"}) == ["1"]
    assert look({"two": "RDEPEND=c/d"}, {}) == ["0", "1", "2"]


def test_an_effect_is_used(empty: Path) -> None:
    """Without this the other tests would show nothing."""
    made = Made({"one": "V=1\nIUSE=x"}, {("one", str(n)): "EAPI=8\ninherit one" for n in range(3)})
    used = repository(empty, made)
    for ebuild in used.ebuilds:
        assert metadata(evaluate(ebuild)).values["IUSE"] == "x"
    assert len(used.eclass_effects.known["overlay:eclass/one.eclass"]) == 1


SHARED = {
    "a function that is there already": (
        {"one": "if [[ -z ${Q} ]]; then Q=1; fi\nfoo() { :; }"},
        ["Q=\ninherit one\ninherit one", "Q=1\ninherit one"],
    ),
    "an export that is there already": (
        {"one": "if [[ -z ${Q} ]]; then Q=1; fi\none_src_test() { :; }\nEXPORT_FUNCTIONS src_test"},
        ["inherit one one", "Q=1\ninherit one"],
    ),
    "an option": ({"one": "shopt -q extglob && LICENSE=x; :"}, ["inherit one", "shopt -s extglob\ninherit one"]),
    "the names so far": ({"one": 'LICENSE="${INHERITED}"', "two": ":"}, ["inherit one", "inherit two one"]),
    "the names in a branch": (
        {"one": "has two ${INHERITED} && LICENSE=x; :", "two": ":"},
        ["inherit one", "inherit two one", "inherit one two one"],
    ),
    "a variable that is exported": ({"one": "export V"}, ["V=1\ninherit one", "\n\n\nV=1\ninherit one"]),
    "where a variable was assigned": (
        {"one": "declare -x V; W=${V}"}, ["V=1\ninherit one", "\n\n\nV=1\ninherit one"],
    ),
    "the order of keys": (
        {"one": 'for k in "${!M[@]}"; do LICENSE+=" $k"; done'},
        [
            # these keys are in one chain of bash's table
            "declare -A M; M[lvm]=1 M[jfk]=1\ninherit one",
            "declare -A M; M[jfk]=1 M[lvm]=1\ninherit one",
        ],
    ),
    "the last status": ({"one": "LICENSE=$?"}, ["false\ninherit one", "inherit one"]),
    "the pipe status": ({"one": 'LICENSE="${PIPESTATUS[*]}"'}, ["false | true\ninherit one", "inherit one"]),
    "the input": ({"one": "read -r LICENSE || :"}, ["inherit one <<<x", "inherit one <<<y", "inherit one"]),
    "a function that is defined": (
        {"one": "declare -F f >/dev/null && LICENSE=f; :"}, ["inherit one", "f() { :; }\ninherit one"],
    ),
    "names by prefix": ({"one": 'LICENSE="${!AB*}"'}, ["inherit one", "ABC=1\ninherit one"]),
    "a readonly variable": ({"one": "V=2\nLICENSE=${V}"}, ["inherit one", "readonly V\ninherit one"]),
    "an integer": ({"one": "V=1+1\nLICENSE=${V}"}, ["V=\ninherit one", "declare -i V=\ninherit one"]),
    "the separators": ({"one": "X=a,b\nset -- $X\nLICENSE=$#"}, ["inherit one", "IFS=,\ninherit one\nunset IFS"]),
    "a value that adds up": (
        {"one": "inherit two\nIUSE+=' one'\nLICENSE=${IUSE}", "two": "IUSE+=' two'"},
        ["inherit one", "IUSE=own\ninherit one", "inherit two one"],
    ),
    "a variable that an inner eclass looks at": (
        {"one": "inherit two", "two": "LICENSE=${Q}", "three": "inherit two\nLICENSE+=3"},
        ["Q=1\ninherit one", "Q=1\ninherit three", "Q=2\ninherit three", "inherit three", "inherit two", "inherit one"],
    ),
    "a function that an inner eclass looks at": (
        {"one": "inherit two", "two": "declare -F f >/dev/null && LICENSE=f; :", "three": "f() { :; }\ninherit two"},
        ["inherit one", "f() { :; }\ninherit one", "inherit three", "inherit two", "inherit one"],
    ),
    "a variable that an inner eclass takes away": (
        {"one": "V=1\ninherit two\nLICENSE=${V-unset}", "two": "unset V"},
        ["inherit one", "V=9\ninherit one", "V=9\ninherit two\nLICENSE=${V-unset}", "inherit one"],
    ),
    "a variable that an inner eclass puts back": (
        {"one": "OLD=${V}\nV=1\ninherit two\nLICENSE=${V}", "two": "V=${OLD}"},
        ["V=5\ninherit one", "V=6\ninherit one", "inherit one", "V=1\ninherit one"],
    ),
    "how deep an inner eclass is": (
        {"one": "inherit two", "two": "LICENSE=${#FUNCNAME[@]}.${ECLASS_DEPTH}"},
        ["inherit two", "inherit one", "inherit two"],
    ),
    "names by prefix in an inner eclass": (
        {"one": "inherit two", "two": 'LICENSE="${!AB*}"'}, ["inherit one", "ABC=1\ninherit one", "inherit two"],
    ),
    "a local variable around an inner eclass": (
        {"one": "local Q=1\ninherit two", "two": "LICENSE=${Q}", "three": "f() { local Q=3; inherit two; }\nf"},
        ["inherit two", "inherit one", "inherit three", "inherit two"],
    ),
    "what a command substitution looks at": (
        {"one": "LICENSE=$(f() { echo ${Q}; }; f)\ninherit two", "two": "LICENSE+=$(echo ${R})"},
        ["inherit one", "Q=1\ninherit one", "R=1\ninherit one", "Q=1\ninherit one"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("eapis", ["88", "76", "68", "08"])
def test_what_an_eclass_looks_at(name: str, eapis: str, empty: Path) -> None:
    eclasses, bodies = SHARED[name]
    texts = [f"EAPI={eapi}\nSLOT=0\n{body}" for eapi in eapis for body in bodies]
    made = Made(eclasses, {("one", str(number)): text for number, text in enumerate(texts)})
    forward = list(range(len(texts)))
    agree(empty, made, forward)
    agree(empty, made, forward[::-1])


@pytest.mark.parametrize(
    "body", ["hasv x x || :", "ver_cut 1 1.2 || :", "inherit two", "usex x", "V=${X@Q}"]
)
def test_the_eapi_decides_what_an_eclass_does(body: str, empty: Path) -> None:
    eclasses = {"one": body, "two": "PROPERTIES=live\nRESTRICT=test\nBDEPEND=a/b"}
    texts = [f"EAPI={eapi}\nSLOT=0\ninherit one" for eapi in "867580"]
    made = Made(eclasses, {("one", str(number)): text for number, text in enumerate(texts)})
    agree(empty, made, [0, 1, 2, 3, 4, 5])
    agree(empty, made, [5, 4, 3, 2, 1, 0])


def test_what_a_substitution_writes_is_kept(empty: Path) -> None:
    """Without this the next test would show nothing."""
    eclass = "f() { local x; for x; do echo ${x}${V}; done; }"
    body = 'EAPI=8\nV={}\ninherit one\nIUSE="$(f a b)"'
    made = Made({"one": eclass}, {("one", str(n)): body.format(n % 2) for n in range(6)})
    used = repository(empty, made)
    for number, ebuild in enumerate(used.ebuilds):
        assert metadata(evaluate(ebuild)).values["IUSE"] == f"a{number % 2} b{number % 2}"
    (effects,) = used.substitution_effects.known.values()
    assert len(effects) == 2


# what a function of an eclass does that writes the licence, and what ebuilds say before it is asked
ASKED = {
    "a variable": ("echo ${V}", ["V=1", "V=2", ":", "V=1"]),
    "a variable that is not set": ("echo ${V-none}", [":", "V=", ":"]),
    "where a value came from": ("echo ${V}", ["V=${T}", "\nV=${T}"]),
    "the order of keys": (
        'echo "${!M[@]}"', ["declare -A M; M[lvm]=1 M[jfk]=1", "declare -A M; M[jfk]=1 M[lvm]=1"],
    ),
    "an attribute": ("V=1+1; echo ${V}", ["V=", "declare -i V="]),
    "another function": ("g; echo $?", [":", "g() { echo g; }", "g() { return 3; }", ":"]),
    "whether there is a function": ("declare -F g || echo none", [":", "g() { :; }"]),
    "the status before": ("echo $?", ["false", "true", "(exit 3)"]),
    "the statuses before": ('echo "${PIPESTATUS[@]}"', ["false | true", "true | false", "true"]),
    "the last argument": ("echo $_", [": a", ": b"]),
    "its name": ("echo ${FUNCNAME}", [":", "f() { one_f; }", ":"]),
    "who calls it": ("echo ${FUNCNAME[*]}", [":", "CALLER=1", ":"]),
    "an option": ("[[ A == a ]] && echo x; :", [":", "shopt -s nocasematch", ":"]),
    "a letter": ("echo $-; set -- *; echo $#", [":", "set -f", ":"]),
    "the separators": ("set -- ${V}; echo $#", ["V=a,b", "V=a,b IFS=,", "V=a,b"]),
    "the names so far": ("echo ${INHERITED}", [":", "inherit two", ":"]),
    "names by prefix": ("echo ${!AB*}", [":", "ABC=1", ":"]),
    "what it changes": ("V+=x; echo ${V}; unset V; echo ${V-none}", ["V=1", "V=2", ":", "V=1"]),
    "a global variable": ("declare -g V=2; echo ${V}", ["V=7", ":", "readonly V=1", "V=7"]),
    "its status": ('[[ ${V} ]]', ["V=1", ":", "V=1"]),
    "that it dies": ("[[ ${V} ]] || die; echo x", ["V=1", ":", "V=1"]),
    "that it may die": ("[[ ${V} ]] || die; echo x", ["V=1", "V=${USE}", "V=1"]),
    "what is unknown": ("echo a ${V} b", ["V=1", "V=${USE}", "V=$(x)", "V=1"]),
    "what it inherits": ("inherit two; echo ${Q}", [":", "inherit two", ":"]),
    "standard error": ("echo a >&2; echo b", [":", "exec 2>&1", ":"]),
    "another substitution": ("echo $(g a) $(g a)", ["g() { echo ${V}$1; }\nV=1", "g() { echo $1; }", ":"]),
    "its input": ("read -r X; echo ${X}", [":", "V=1"]),
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("eapis", ["86"])
def test_what_a_substitution_looks_at(name: str, eapis: str, empty: Path) -> None:
    function, before = ASKED[name]
    eclass = f"one_f() {{\n{function}\n}}\n"
    ways = (
        # right after what differs; where a local variable hides a global one; within another one
        'LICENSE="$(one_f)"',
        "h() { local V=7; LICENSE=$(one_f); }\nh\nLICENSE+=$(one_f)",
        'i() { LICENSE="$(one_f)$?"; }\ni\nh() { unset V; LICENSE+=$(one_f 2>&1); }\nh',
        "LICENSE=$(echo $(one_f); { echo $(one_f); } 2>&1)",
        "{ LICENSE=$(one_f); } <<<x\nLICENSE+=$(one_f)",
        # in an eclass whose own effect is kept
        "X=$(one_f)\ninherit three",
    )
    texts = [
        f"EAPI={eapi}\nSLOT=0\ninherit one\n{setting}\n{way}"
        for eapi in eapis
        for way in ways
        for setting in before
    ]
    eclasses = {"one": eclass, "two": "Q=2", "three": 'LICENSE="$(one_f)"'}
    made = Made(eclasses, {("one", str(number)): text for number, text in enumerate(texts)})
    forward = list(range(len(texts)))
    agree(empty, made, forward)
    agree(empty, made, forward[::-1])
    agree(empty, made, forward[::3] + forward[1::3] + forward[2::3])


def test_what_is_kept_takes_as_many_steps(empty: Path) -> None:
    """Else it would depend on the other ebuilds which one takes too many."""
    made = Made(
        {"one": "f() { local i; for i in a b c; do echo $i; done; }"},
        {("one", str(n)): 'EAPI=8\ninherit one\nIUSE="$(f)"' for n in range(3)},
    )
    used = repository(empty, made)
    # what sourcing the eclass takes is not counted when its effect is known
    used.__dict__["eclass_effects"] = Unused()
    steps: set[int] = set()
    for ebuild in used.ebuilds:
        evaluator = Evaluator(ebuild)
        evaluator.evaluate()
        assert evaluator.interpreter is not None
        steps.add(evaluator.interpreter.steps)
    assert len(steps) == 1
