import { Int32Histogram } from "hdr-histogram-js";
import type { Latency } from "../../spec/sample.ts";

const longestMicros = 3_600_000_000;

/** Durations in integer microseconds, up to an hour, at three significant digits; mergeable. */
export class Durations {
  readonly #histogram = new Int32Histogram(1, longestMicros, 3);

  /** Restores what `toLatency` gave. */
  static from(latency: Latency): Durations {
    const durations = new Durations();
    for (const [micros, count] of latency) durations.#histogram.recordValueWithCount(micros, count);
    return durations;
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  /** Records a duration in milliseconds; a negative one (a clock's jitter) counts as 0. */
  record(ms: number): void {
    this.#histogram.recordValue(Math.min(longestMicros, Math.max(0, Math.round(ms * 1000))));
  }

  merge(other: Durations): void {
    this.#histogram.add(other.#histogram);
  }

  /** Milliseconds at `quantile` (0..1); NaN when nothing was recorded. */
  at(quantile: number): number {
    return this.count === 0 ? Number.NaN : this.#histogram.getValueAtPercentile(quantile * 100) / 1000;
  }

  /** Upper edges and counts, ascending. */
  toLatency(): Latency {
    const histogram = this.#histogram;
    const cells: Latency = [];
    const iterator = histogram.recordedValuesIterator;
    iterator.reset();
    while (iterator.hasNext()) {
      const cell = iterator.next();
      const edge = histogram.highestEquivalentValue(cell.valueIteratedTo);
      cells.push([edge, cell.countAtValueIteratedTo]);
    }
    return cells;
  }
}
