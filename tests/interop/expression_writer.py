"""Random conditions on what the dimensions and dataset types of a query have, from a seed.

Writes text and the values bound in it. Keeps to what the peer answers where its refusal
says nothing (no integer and float in one sum, no shape under OR), and now and then does not.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

_INTEGERS = {
    "detector": (0, 1, 2, 3), "visit": (100, 103, 105, 203), "exposure": (100, 104, 113, 205),
    "exposure.id": (101, 202), "exposure.seq_num": (-5, -2, 0, 3, 7), "visit.seq_num": (-4, 1, 9),
    "exposure.seq_end": (3, 9), "day_obs": (20240110, 20240111), "tract": (0, 1, 3),
    "exposure.day_obs": (20240111,), "visit.day_obs": (20240110, 20240112), "day_obs.id": (20240110,),
    "patch": (0, 1, 2, 3), "patch.cell_x": (0, 1), "patch.cell_y": (-1, 0, 1),
    "visit_system": (0, 2), "skymap.tract_max": (2, 4), "instrument.visit_max": (9999, 5),
    "subfilter": (0, 1), "ssp_balanced_index": (-1, 3), "ssp_hypothesis_bundle.id": (3,),
}  # fmt: skip
_FLOATS = {
    "exposure.exposure_time": (15.0, 30.0, 22.5), "visit.exposure_time": (15.0, 44.9),
    "exposure.dark_time": (15.5,), "exposure.zenith_angle": (11.0, -1.5, 0.0),
    "visit.zenith_angle": (12.0, 16.25), "exposure.tracking_ra": (-1.5, 0.0, 5.5),
    "exposure.tracking_dec": (-0.5,), "visit.azimuth": (180.0,),
}  # fmt: skip
_TEXTS = {
    "physical_filter": ("g1", "r1", "g_wide", "r.B"), "band": ("g", "r", "i", "z"),
    "detector.full_name": ("R0_S0", "R1_S1"), "detector.raft": ("R0", "R1"),
    "detector.purpose": ("SCIENCE", "GUIDER"), "exposure.target_name": ("field0", "Field1", "a*b"),
    "visit.target_name": ("field0", "", "a?b"), "exposure.observation_type": ("science", "odd"),
    "exposure.science_program": ("SURVEY", "survey"), "visit.name": ("CamA_V_103", "odd_203"),
    "exposure.obs_id": ("CamA_O_102", "CamA_[2]_*"), "group": ("grp0", "grp3"),
    "exposure.physical_filter": ("g1", "i1"), "visit_system.name": ("by-seq",),
    "exposure.observation_reason": ("science",), "instrument.class_name": ("no.such.CamA",),
    "ssp_hypothesis_table": ("h1", "h2"), "visit.physical_filter": ("r1",),
}  # fmt: skip
_PATTERNS = (
    "*", "?", "f*", "*d?", "field?", "Field*", "a?b", "a\\?b", "a\\*b", "a[b]", "a\\[b\\]", "a\\\\b",
    "*\\", "**", "", "?*?", "*_*", "50%*", "?ngstr?m", "CamA_O_1?2", "CamA_[[]*", "*g*", "[a-z]*",
)  # fmt: skip
_TRUTHS = ("exposure.can_see_sky", "exposure.has_simulated")
_SPANS = ("exposure.timespan", "visit.timespan", "day_obs.timespan")
_REGIONS = (
    "visit.region", "visit_detector_region.region", "tract.region", "patch.region", "htm7.region",
)  # fmt: skip
#: The same or neighbouring instants in many forms.
TIMES = (
    "2024-01-10T20:10:00", "2024-01-11T12:00:00/tai", "2024-01-12 20:25:33.25/tai", "2024-01-11",
    "2024-01-10T20:00:30.5/tai", "60319.84/utc", "mjd/60320.5", "jd/2460320.34/tt", "2024:011",
    "2024:012:20:20:00", "isot/2024-01-11T20:00:00.000000001/tai", "unix/1704917400.0",
    "fits/+02024-01-11T20:00:00", "2024-01-10T20:10", "cxcsec/821300000.0", "1969-07-20", "2101-01-01",
    "2024-01-12T20:00:00+00:00", "jyear/2024.03/tai", "gps/1388950000.0", "unix_tai/1704917437.0",
)  # fmt: skip
_CENTRES = (
    (0.0, 0.0), (359.7, -0.3), (-0.3, 0.4), (120.0, 89.6), (270, 90), (0, -90), (90, -30),
    (360.0, 0.0), (45.0, 0), (12.5, -89.8), (180.0, 0.0), (725.0, 0.02),
)  # fmt: skip
_OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
_DATASET_TEXTS = {
    "run": ("run/1", "run/3", "CamA/raw", "calib/run1", "odd", "coadds"),
    "collection": ("run/1", "tag", "CamA/raw", "calib/A", "odd"),
}


class ExpressionWriter:
    """Writes random conditions.

    Parameters
    ----------
    dimensions
        Names of the dimensions that may be spoken of.
    dataset_types
        Names of the dataset types whose fields may be.
    """

    def __init__(
        self, seed: object, dimensions: Iterable[str], dataset_types: Iterable[str] = ()
    ) -> None:
        self.chosen = random.Random(repr(seed))
        self.dimensions = frozenset(dimensions)
        self.dataset_types = tuple(dataset_types)
        #: Values bound in what was written, as ``bound_values`` reads them.
        self.bind: dict[str, Any] = {}

    def where(self, *, depth: int = 2) -> str:
        """Write the whole of a query's condition; governors are said, as the peer demands."""
        parts = self._governors()
        if self.chosen.random() < 0.35:
            parts += [self.shape()] * 1
        if len(parts) < 2 or self.chosen.random() < 0.75:
            parts.append(self.expression(depth))
        self.chosen.shuffle(parts)
        return " AND ".join(part for part in parts if part)

    def _governors(self) -> list[str]:
        parts = []
        if "instrument" in self.dimensions:
            camera = self.chosen.choice(["CamA", "CamA", "CamA", "CamB"])
            form = self.chosen.choice(["instrument = '{}'"] * 6 + ["'{}' = instrument"])
            parts.append(form.format(camera))
        if "skymap" in self.dimensions:
            parts.append(f"skymap = '{self.chosen.choice(['grid', 'grid', 'cap', 'south'])}'")
        if "ssp_hypothesis_table" in self.dimensions and self.chosen.random() < 0.5:
            parts.append("ssp_hypothesis_table = 'h1'")
        return parts

    def expression(self, depth: int = 2) -> str:
        # The peer brings conditions to a normal form that may be exponentially long: small ones.
        negation = self.chosen.choice(["NOT ", "not "]) if self.chosen.random() < 0.2 else ""
        if depth and self.chosen.random() < 0.5:
            below = 0 if negation else depth - 1
            joint = self.chosen.choice([" AND ", " OR ", " and ", " Or "])
            parts = [self.expression(below) for _ in range(2 if negation or depth > 1 else 3)]
            return f"{negation}({joint.join(parts)})"
        return f"{negation}{self.condition()}"

    def condition(self) -> str:
        """Write one condition without AND, OR or NOT."""
        makers: list[Callable[[], str]] = [
            self._integer_comparison, self._integer_comparison, self._float_comparison, self._list,
            self._list, self._text, self._text, self._glob, self._truth, self._null, self._span,
            self._span, self._instant, self._constant, self._dataset_field, self._dataset_field,
        ]  # fmt: skip
        while True:
            if text := self.chosen.choice(makers)():
                return text

    # ------------------------------------------------------------------ pieces
    def _named(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if self._may_be_named(name.partition(".")[0])]

    def _may_be_named(self, first: str) -> bool:
        if first == "visit_detector_region":
            return {"visit", "detector"} <= self.dimensions
        return first in self.dimensions

    def _pick(self, table: dict[str, Any]) -> tuple[str, Any] | None:
        names = self._named(table)
        if not names:
            return None
        name = self.chosen.choice(names)
        return name, self.chosen.choice(table[name])

    def _bound(self, value: Any) -> str:
        name = f"v{len(self.bind)}"
        self.bind[name] = value
        return self.chosen.choice(["", ":"]) + name

    def _number(self, value: float) -> str:
        form = self.chosen.random()
        if form < 0.15:
            return self._bound(self.chosen.choice([value, {"numpy": value}]))
        return f"+{value}" if form < 0.2 else f"{value}"

    def _sum(self, name: str, numbers: tuple[Any, ...], operators: str) -> str:
        """Write arithmetic on a column."""
        number = self._number(self.chosen.choice(numbers))
        operator = self.chosen.choice(operators)
        return self.chosen.choice(
            [name, name, name, f"-{name}", f"{name} {operator} {number}", f"{number} - {name}",
             f"-({name} {operator} {number}) * {numbers[0]}", f"{name} - {number} - {name}",
             f"{name} + {number} * {name}", f"({name} + {number}) {operator} {numbers[0]}"]
        )  # fmt: skip

    def _integer_comparison(self) -> str:
        picked = self._pick(_INTEGERS)
        if picked is None:
            return ""
        name, value = picked
        left = self._sum(name, (2, 3, 7, -2), "+-*/%")
        right = self.chosen.choice([self._number(value)] * 5 + [f"{value}.0", name])
        return f"{left} {self.chosen.choice(_OPERATORS)} {right}"

    def _float_comparison(self) -> str:
        picked = self._pick(_FLOATS)
        if picked is None:
            return ""
        name, value = picked
        left = self._sum(name, (2.0, 0.5, -1.5, 1e1), "+-*/")
        right = self.chosen.choice([self._number(value), f"{int(value)}", name])
        sides = [left, right]
        self.chosen.shuffle(sides)
        return f"{sides[0]} {self.chosen.choice(_OPERATORS)} {sides[1]}"

    def _list(self) -> str:
        picked = self._pick(_INTEGERS)
        if picked is None:
            return ""
        name, value = picked
        low = min(_INTEGERS[name])
        items = [
            f"{value}", "NULL", f"{value}, {value + 2}",
            f"{low}..{low + self.chosen.randint(0, 9)}", f"{low} .. {low + 3}",
            f"{abs(low)}..{abs(low) + 12}:{self.chosen.randint(1, 4)}",
            self._bound([value, value + 1]), self._bound({"tuple": [value]}),
            self._bound({"set": [value, 3]}), self._bound([]), self._bound(value),
        ]  # fmt: skip
        some = ", ".join(self.chosen.sample(items, self.chosen.randint(1, 2)))
        return f"{name} {self.chosen.choice(['IN', 'IN', 'NOT IN'])} ({some})"

    def _text(self) -> str:
        picked = self._pick(_TEXTS)
        if picked is None:
            return ""
        name, value = picked
        form = self.chosen.random()
        if form < 0.2:
            return f"{name} IN ({', '.join(map(repr, _TEXTS[name]))})"
        if form < 0.3:
            bound = self._bound([value, "O'Brien"])
            return f"{name} NOT IN ({bound}, 'x')"
        right = self._bound(value) if form < 0.45 else f"'{value}'"
        return f"{name} {self.chosen.choice(_OPERATORS)} {right}"

    def _glob(self) -> str:
        picked = self._pick(_TEXTS)
        if picked is None:
            return ""
        name, value = picked
        own = (value[:2] + "*", "*" + value[-1:], "?" + value[1:], value, value.upper())
        pattern = self.chosen.choice([*own, *_PATTERNS])
        return f"GLOB({name}, '{pattern}')"

    def _truth(self) -> str:
        names = self._named(_TRUTHS)
        return self.chosen.choice(names) if names else ""

    def _null(self) -> str:
        names = self._named([*_TEXTS, *_FLOATS, *_INTEGERS, *_TRUTHS, *_SPANS, *_REGIONS[:4]])
        if not names:
            return ""
        name = self.chosen.choice(names)
        return self.chosen.choice([f"{name} = NULL", f"{name} != null", f"NULL = {name}"])

    def _time(self) -> str:
        form = self.chosen.random()
        if form < 0.15:
            return self._bound({"time": "2024-01-11T20:05:00"})
        if form < 0.2:
            return self._bound({"datetime": "2024-01-11T20:04:23"})
        return f"{self.chosen.choice('TTTt')}'{self.chosen.choice(TIMES)}'"

    def _span(self) -> str:
        names = self._named(_SPANS)
        if not names:
            return ""
        pair = [self._time(), self._time(), "NULL", "null"]
        begin, end = self.chosen.choice([pair[0], pair[2]]), self.chosen.choice([pair[1], pair[3]])
        other = self.chosen.choice(
            [f"({begin}, {end})", f"({begin}, {end})", f"({pair[0]}, {pair[0]})", pair[0],
             self._bound({"timespan": ["2024-01-10T20:00:30.5", None]})]
        )  # fmt: skip
        sides = [self.chosen.choice(names), other]
        self.chosen.shuffle(sides)
        return " OVERLAPS ".join(sides)

    def _instant(self) -> str:
        names = self._named(_SPANS)
        if not names:
            return ""
        name = self.chosen.choice(names)
        end = self.chosen.choice(["begin", "end"])
        right = self.chosen.choice([self._time()] * 4 + [f"{self.chosen.choice(names)}.begin"])
        # Where there is no timespan, its ends are 1970 there and unknown here.
        known = " AND ".join(f"{one} != NULL" for one in names)
        return f"({known} AND {name}.{end} {self.chosen.choice(_OPERATORS)} {right})"

    def _constant(self) -> str:
        if self.chosen.random() < 0.8:
            return ""
        return self.chosen.choice(
            ["1 = 1", "2 < 1", "'a' < 'b'", "7 - 2 - 3 = 2", "2 + 3 * 4 = 14", "7 / 2 = 3.5",
             "-7 % 3 = -1", "8 / 4 / 2 = 1", "- -3 = 3", "2 * 3 % 4 = 2", "2 - -3 = 5", "1 / 0 = 1",
             "1e2 = 100", ".5 < 1."]
        )  # fmt: skip

    def _dataset_field(self) -> str:
        if not self.dataset_types:
            return ""
        name = self.chosen.choice(self.dataset_types)
        field = self.chosen.choice(list(_DATASET_TEXTS))
        value = self.chosen.choice(_DATASET_TEXTS[field])
        return self.chosen.choice(
            [f"{name}.{field} = '{value}'", f"{name}.{field} IN ('{value}', 'run/2')",
             f"GLOB({name}.{field}, '{value[:3]}*')", f"{name}.{field} != '{value}'",
             f"{name}.ingest_date > T'2020-01-01'", f"T'2020-01-01' < {name}.ingest_date",
             f"{name}.dataset_id != UUID('00000000-0000-0000-0000-000000000000')"]
        )  # fmt: skip

    # ------------------------------------------------------------------ shapes
    def shape(self) -> str:
        """Write the condition that a region overlaps a shape, if there are regions."""
        names = self._named(_REGIONS)
        if "htm7" in self.dimensions:  # a shape that a visit overlaps restricts pixels there
            names = [name for name in names if name == "htm7.region"]
        if not names:
            return ""
        lon, lat = self.chosen.choice(_CENTRES)
        size = self.chosen.choice([0, 1e-6, 0.05, 0.3, 0.9, 2])
        sides = [self.chosen.choice(names), self._shape(lon, lat, size)]
        self.chosen.shuffle(sides)
        return " OVERLAPS ".join(sides)

    def _shape(self, lon: float, lat: float, size: float) -> str:
        wide, low, high = max(size, 0.1), max(lat - 0.2, -90), min(lat + 0.3, 90)
        forms = [
            f"POINT({lon}, {lat})", f"CIRCLE({lon}, {lat}, {size})",
            f"BOX({lon}, {lat}, {size}, {size / 4})", f"BOX({lon}, {lat}, 4.0, 0.01)",
            f"POLYGON({lon}, {low}, {lon + wide}, {low}, {lon + wide / 2}, {high})",
            f"POLYGON({lon + wide / 2}, {high}, {lon + wide}, {low}, {lon}, {low})",
            f"REGION('CIRCLE {lon % 360} {lat} {size}')",
            f"REGION('RANGE {lon % 360} {(lon + wide) % 360} {low} {high}')",
            self._bound({"region": f"CIRCLE {lon % 360} {lat} {size}"}),
            self._bound({"point": [lon, lat]}), self._bound({"sky": [lon % 360, lat]}),
            f"POINT({self._bound(lon)}, {self._bound(lat)})",
        ]  # fmt: skip
        return self.chosen.choice(forms)
