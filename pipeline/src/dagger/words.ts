/** Where a release goes: a file of policies/environments. */
export enum Environment {
  /** No address but this machine's: ends with the rehearsal. */
  Laptop = "laptop",
  /** Servers that nobody depends on. */
  Staging = "staging",
  /** Servers that people depend on: every gate, and a signature. */
  Production = "production",
}

/** What serves the model. */
export enum Runtime {
  /** Bun. */
  Bun = "bun",
  /** Deno. */
  Deno = "deno",
}

/** What sends the requests that are measured. */
export enum Driver {
  /** Grafana k6: its image is pulled. */
  K6 = "k6",
  /** Sluice's own driver, which every release is measured with. */
  Own = "own",
}
