"""livn's names of the populations that can be simulated are written once."""

from __future__ import annotations

from checkout import ROOT, tracked


def test_the_rooms_write_population_names_once() -> None:
    sources = [
        path
        for path in tracked("*.h", "*.cc")
        if path.startswith(("sim/", "io/", "env/", "lab/", "server/"))
        and "_test." not in path
        and "/testing/" not in path
    ]
    assert len(sources) > 100
    found = set()
    for path in sources:
        code = "\n".join(line.partition("//")[0] for line in (ROOT / path).read_text().splitlines())
        if '"EXC"' in code or '"INH"' in code:
            found.add(path)
    assert found == {"sim/network/populations.h"}
