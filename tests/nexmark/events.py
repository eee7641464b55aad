"""Events of an online auction, as the Nexmark benchmark describes them (Tucker et al., 2008): of 50 events one is a new person, three
are new auctions and 46 are bids. What is drawn is drawn from a seed, so that a number of events is always the same data.

    python events.py EVENTS FOLDER [--disorder SECONDS]

writes `persons.jsonl`, `auctions.jsonl`, `bids.jsonl` and, for the query with a side input, `side.csv`.
"""

import argparse
import json
import pathlib
import random
from collections.abc import Iterator

FIRST_ID = 1000
PER_SECOND = 100
"""Events a second of event time: a window of ten seconds holds a thousand."""
START = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z in microseconds."""
STATES = ["AZ", "CA", "ID", "OR", "WA", "WY"]
CITIES = ["Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"]
FIRST = ["Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"]
LAST = ["Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"]
CHANNELS = ["Google", "Facebook", "Baidu", "Apple"]


def timestamp(micros: int) -> str:
    seconds, rest = divmod(micros, 1_000_000)
    days, second = divmod(seconds, 86_400)
    # 2026 begins on day 20454 since 1970; the benchmark never leaves January.
    return f"2026-01-{days - 20_454 + 1:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{rest:06}Z"


def price(draw: random.Random) -> int:
    """Between 1 and 100 million, evenly on a logarithmic scale."""
    return round(10 ** (draw.random() * 6) * 100)


def events(count: int, seed: int = 1) -> Iterator[tuple[str, int, dict]]:
    """Kind, time in microseconds and row of each event, in the order of time."""
    draw = random.Random(seed)
    people = auctions = 0
    for number in range(count):
        # No two events have one time, so that the order of time is total.
        at = START + number * 1_000_000 // PER_SECOND
        place = number % 50
        if place == 0:
            people += 1
            name = f"{draw.choice(FIRST)} {draw.choice(LAST)}"
            yield "persons", at, {
                "id": FIRST_ID + people,
                "name": name,
                "email": f"{name.replace(' ', '.').lower()}@example.org",
                "card": " ".join(f"{draw.randrange(10_000):04}" for _ in range(4)),
                "city": draw.choice(CITIES),
                "state": draw.choice(STATES),
                "extra": "p" * draw.randrange(8),
            }
        elif place < 4:
            auctions += 1
            initial = price(draw)
            yield "auctions", at, {
                "id": FIRST_ID + auctions,
                "item": f"item {draw.randrange(10_000)}",
                "description": "d" * draw.randrange(20),
                "initial": initial,
                "reserve": initial + price(draw),
                "expires": at + draw.randrange(1, 40) * 1_000_000,
                # Most sell who came last, some who came long ago.
                "seller": FIRST_ID + (people if draw.random() < 0.5 else draw.randint(1, people)),
                "category": draw.randint(10, 14),
                "extra": "a" * draw.randrange(8),
            }
        else:
            # Half of the bids are for one of the hot auctions.
            recent = max(1, auctions - 100)
            hot = recent + (auctions - recent) // 10 * 10
            yield "bids", at, {
                "auction": FIRST_ID + (hot if draw.random() < 0.5 else draw.randint(recent, auctions)),
                "bidder": FIRST_ID + (max(1, people - 1) if draw.random() < 0.25 else draw.randint(max(1, people - 1000), people)),
                "price": price(draw),
                "channel": draw.choice(CHANNELS),
                "url": f"https://auction.example/item.htm?query=1&channel_id={draw.randrange(1 << 20)}",
                "extra": "b" * draw.randrange(8),
            }


def write(folder: pathlib.Path, count: int, disorder: float = 0.0, seed: int = 1) -> None:
    """Writes the files; with `disorder` each event comes up to so many seconds late."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(seed + 1)
    found = list(events(count, seed))
    if disorder:
        late = {id(event): event[1] + draw.random() * disorder * 1e6 for event in found}
        found.sort(key=lambda event: late[id(event)])
    files = {kind: (folder / f"{kind}.jsonl").open("w") for kind in ("persons", "auctions", "bids")}
    for kind, at, row in found:
        row = {**row, "at": timestamp(at)}
        if "expires" in row:
            row["expires"] = timestamp(row["expires"])
        files[kind].write(json.dumps(row) + "\n")
    for file in files.values():
        file.close()
    side = "".join(f"{key},value {key * 7 % 100}\n" for key in range(100))
    (folder / "side.csv").write_text("key,value\n" + side)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("events", type=int)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--disorder", type=float, default=0.0)
    given = parser.parse_args()
    write(given.folder, given.events, given.disorder)
