"""Burst throughput at Read's quotas, on a virtual clock: ``python -m bench.throughput --files 1000``."""

import argparse
import itertools
import logging
import time

from tests.simulation.burst import KINDS, Burst, live

RATES = ("30/s", "15/s,50/s", "20/min")


def main() -> None:
    """Print a table, a line a run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--instances", default="1,2,10,100")
    parser.add_argument("--rates", default=";".join(RATES), help="separated by ;")
    parser.add_argument("--setting", help="what READ_RATE says, where it is not what the service does")
    parser.add_argument("--tail", action="store_true", help="2 % of the operations take up to a minute")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    print("quota      counted as      instances  of ceiling  refused  failed  longest  looks  pace calls  storage  ran")
    print("                                            %        %          × ideal  /doc      /doc      /doc     s")
    instances = [int(number) for number in options.instances.split(",")]
    for rate, kind, number in itertools.product(options.rates.split(";"), KINDS, instances):
        began = time.perf_counter()
        burst = Burst(kind, rate, number, options.files, options.setting, options.tail)
        outcome = live(burst)
        files, pace_calls = options.files, outcome.pace_calls / options.files
        print(
            f"{rate:10} {kind:15} {number:9} {outcome.share:11.1%} {outcome.refused / outcome.calls:8.2%}"
            f" {outcome.failed:7} {outcome.longest:8.2f} {outcome.looks / files:6.2f} {pace_calls:11.2f}"
            f" {outcome.storage_calls / files:8.1f} {time.perf_counter() - began:4.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
