import { z } from "zod";
import { Digest } from "./digest.ts";
import { FreezeWindow } from "./freeze.ts";
import { ModelName, ModelRef } from "./name.ts";
import { StageName } from "./report.ts";

const Name = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "expected lower-case letters, digits and dashes");
const Seconds = z.number().positive().max(86_400);
const Rate = z.number().min(0).max(1);

/**
 * Objectives of one model: a rate is 0..1, a latency is at a quantile 0..1 in milliseconds, `maxSlowdown` is how many
 * times stable's latency the candidate's may be when both are measured side by side.
 */
export const Slo = z.strictObject({
  maxErrorRate: Rate.gt(0).lt(1),
  maxSlowdown: z.number().gt(1).max(100).optional(),
  latency: z.array(z.strictObject({ quantile: Rate.gt(0).lt(1), maxMs: z.number().positive() })).min(1),
});
export type Slo = z.infer<typeof Slo>;

/** `policies/slo.yaml`: the only place for a limit on errors or latency. */
export const SloPolicy = z.strictObject({
  schema: z.literal("sluice/slo/v1"),
  budgetDays: z.int().positive(),
  models: z.record(ModelName, Slo),
});
export type SloPolicy = z.infer<typeof SloPolicy>;

/**
 * The stages whose reports must pass, whether the contract stage must compare the API with stable's (which takes
 * oasdiff; without it only the tensors and real answers are), and whether a change that breaks stable's clients is let
 * in: never (`refuse`), or with a new major version of the model (`major`). An `errorBudget` that is spent blocks every
 * release that nobody gives a reason for (`block`), or is only told of (`tell`).
 */
const Admission = z.strictObject({
  require: z.array(StageName).min(1),
  compareApi: z.boolean().default(true),
  breaking: z.enum(["refuse", "major"]).default("refuse"),
  errorBudget: z.enum(["block", "tell"]).default("block"),
});

/** `policies/admission.yaml`, by environment. */
export const AdmissionPolicy = z.strictObject({
  schema: z.literal("sluice/admission/v1"),
  environments: z.record(Name, Admission),
});
export type AdmissionPolicy = z.infer<typeof AdmissionPolicy>;

/**
 * A run of the load stage: open model, arrivals at `ratePerSecond`, or from `fromPerSecond` up or down to it in a straight
 * line. `warmupSeconds` are driven but not counted; a run that is inconclusive after `seconds` goes on, up to
 * `maxSeconds`; an arrival that finds `maxInFlight` requests under way is dropped, which fails the run; a request without
 * an answer after `timeoutMs` is an error. A driver later than `maxLagMs` at the 99th percentile begins anew with twice its
 * `processes` while there is time and a core for each; in the end it makes the run an error.
 * The service's memory may grow by `maxGrowthMiBPerHour` where its process can be watched.
 */
export const LoadProfile = z.strictObject({
  ratePerSecond: z.number().positive().max(100_000),
  fromPerSecond: z.number().nonnegative().max(100_000).optional(),
  warmupSeconds: z.number().nonnegative().max(3_600),
  seconds: Seconds,
  maxSeconds: Seconds.optional(),
  maxInFlight: z.int().positive(),
  timeoutMs: z.number().positive().max(600_000),
  maxLagMs: z.number().positive(),
  maxGrowthMiBPerHour: z.number().positive().optional(),
  processes: z.int().min(1).max(64).default(1),
});
export type LoadProfile = z.infer<typeof LoadProfile>;

/**
 * The search for the highest rate within the SLO: from `fromPerSecond` each run is `growth` times as fast as the one
 * before, until one breaks an objective; then halves of the gap, until it is at most `resolution` (0..1) of the rate.
 */
export const CapacityProfile = LoadProfile.omit({
  ratePerSecond: true,
  fromPerSecond: true,
  maxSeconds: true,
  maxGrowthMiBPerHour: true,
})
  .extend({
    fromPerSecond: z.number().positive().max(100_000),
    toPerSecond: z.number().positive().max(100_000),
    growth: z.number().gt(1).max(10),
    resolution: Rate.gt(0).lt(1),
  })
  .refine((profile) => profile.toPerSecond >= profile.fromPerSecond, "expected toPerSecond >= fromPerSecond");
export type CapacityProfile = z.infer<typeof CapacityProfile>;

/** `policies/load.yaml`: profiles by name, and the search that `--profile capacity` runs. */
export const LoadPolicy = z.strictObject({
  schema: z.literal("sluice/load/v1"),
  profiles: z.record(Name, LoadProfile),
  capacity: CapacityProfile.optional(),
});
export type LoadPolicy = z.infer<typeof LoadPolicy>;

/**
 * How the canary is judged. `falseAlarm` (0..1) is the chance that an equal canary is ever rejected, over all looks and
 * metrics; `ratio` is the smallest ratio of canary to baseline that matters. Slow requests are those above each of
 * `latencyQuantiles` among both arms' of one look, after the baseline was slowed by the larger of `slowdown.ratio`
 * (times) and `slowdown.ms`: a smaller slowdown does not matter. The errors, or the slow requests, of one look multiply
 * the evidence by `evidencePerLook` at most. `maxChangedRate` (0..1) is the share of answers that a release is meant to
 * change, at most; each look compares `answersPerLook` of them. An arm with more than `maxSkew` times the requests that
 * the weights give it is no comparison.
 */
export const JudgePolicy = z.strictObject({
  falseAlarm: Rate.gt(0).lt(1),
  ratio: z.number().gt(1).max(100),
  latencyQuantiles: z.array(Rate.gt(0).lt(1)),
  slowdown: z
    .strictObject({ ratio: z.number().min(1).max(100), ms: z.number().nonnegative().max(60_000) })
    .default({ ratio: 1.05, ms: 0.5 }),
  evidencePerLook: z.number().gt(1),
  maxChangedRate: Rate.gt(0).lt(1),
  answersPerLook: z.int().nonnegative().max(1_000),
  maxSkew: z.number().gt(1).max(100).default(1.5),
});
export type JudgePolicy = z.infer<typeof JudgePolicy>;

/** One weight. The step passes after `seconds` with at least `minRequests` on the canary, and is inconclusive after `maxSeconds`. */
export const Step = z
  .strictObject({
    weight: z.int().min(1).max(100),
    seconds: Seconds,
    maxSeconds: Seconds,
    minRequests: z.int().positive(),
    approval: z.boolean().default(false),
  })
  .refine((step) => step.maxSeconds >= step.seconds, "expected maxSeconds >= seconds");
export type Step = z.infer<typeof Step>;

/**
 * A way to let traffic in: ascending weights, then promotion. One step of weight 100 is blue-green: the switch, and a
 * hold in which stable stands by. `lookSeconds` is the pause between two looks, `deadlineSeconds` the most that the whole
 * may take, `cooldownSeconds` the least between taking a release back and trying it again.
 */
export const Strategy = z.strictObject({
  steps: z
    .array(Step)
    .min(1)
    .refine((steps) => steps.every((step, i) => i === 0 || step.weight > (steps[i - 1]?.weight ?? 0)), {
      message: "expected strictly ascending weights",
    }),
  lookSeconds: Seconds,
  readySeconds: Seconds,
  drainSeconds: Seconds,
  deadlineSeconds: z.number().positive(),
  cooldownSeconds: z.number().nonnegative(),
  judge: JudgePolicy,
});
export type Strategy = z.infer<typeof Strategy>;

/**
 * `policies/rollout.yaml`: strategies by name, and what becomes of a deployment while a rollout of the environment is under
 * way or paused. `fail`: nothing is begun; the same release goes on with its own rollout.
 */
export const RolloutPolicy = z.strictObject({
  schema: z.literal("sluice/rollout/v1"),
  whileRunning: z.literal("fail").default("fail"),
  strategies: z.record(Name, Strategy),
});
export type RolloutPolicy = z.infer<typeof RolloutPolicy>;

/** Made-up requests (the golden inputs) that the environment's own rollout sends through the router. */
const Traffic = z.strictObject({ kind: z.literal("synthetic"), ratePerSecond: z.number().positive().max(10_000) });

/** Where the embedded site listens: `port` 0 takes a free one, kept from then on. */
const LocalTarget = z.strictObject({
  kind: z.literal("local"),
  host: z.string().min(1),
  port: z.int().min(0).max(65_535),
  workers: z.int().positive().max(64),
});

/** HAProxy, a program of the user's, in front of revisions on this machine. `bind` is where clients come. */
const HaproxyTarget = z.strictObject({
  kind: z.literal("haproxy"),
  bind: z.string().regex(/^[^\s:]+:\d{1,5}$/, "expected an address and a port such as 127.0.0.1:8080"),
  workers: z.int().positive().max(64),
});

/**
 * Revisions as containers of the daemon at `host` (over TCP with the certificates in $DOCKER_CERT_PATH), HAProxy on this
 * machine before them. `image` names a model's image, `network` their own network, whose addresses must be reachable
 * from here.
 */
const DockerTarget = z.strictObject({
  kind: z.literal("docker"),
  host: z.string().regex(/^(?:unix:\/\/\/\S+|tcp:\/\/[^\s:/]+:\d{1,5})$/, "expected unix:///PATH or tcp://HOST:PORT"),
  bind: z.string().regex(/^[^\s:]+:\d{1,5}$/, "expected an address and a port such as 127.0.0.1:8080"),
  image: z.string().regex(/^\S*\{name\}\S*\{version\}\S*$/, "expected a reference with {name} and {version}"),
  network: z.strictObject({ name: Name, subnet: z.cidrv4() }),
  workers: z.int().positive().max(64),
});
export type DockerTarget = z.infer<typeof DockerTarget>;

/**
 * Servers that somebody else starts, behind an HAProxy whose backend is called `revisions`: Sluice only moves traffic
 * between them. `address` is where clients come, `control` HAProxy's runtime API (host:port, or a socket's path).
 */
const BoundTarget = z.strictObject({
  kind: z.literal("bound"),
  address: z.url(),
  control: z.string().regex(/^(?:\/\S+|[^\s:/]+:\d{1,5})$/, "expected host:port or the path of a socket"),
});

/** `policies/environments/<name>.yaml`. `prometheus` knows the error budget; without it the local site's own history does. */
export const Environment = z.strictObject({
  schema: z.literal("sluice/environment/v1"),
  model: ModelName,
  release: ModelRef,
  bootstrap: ModelRef,
  strategy: Name,
  maxChangedRate: JudgePolicy.shape.maxChangedRate.optional(),
  load: Name,
  traffic: Traffic.optional(),
  prometheus: z.url().optional(),
  target: z.discriminatedUnion("kind", [LocalTarget, HaproxyTarget, DockerTarget, BoundTarget]),
});
export type Environment = z.infer<typeof Environment>;

/** All policies that bear on one environment, and the digest over their files. */
export const Policies = z.strictObject({
  digest: Digest,
  environmentName: Name,
  environment: Environment,
  slo: Slo,
  budgetDays: z.int().positive(),
  admission: Admission,
  load: LoadProfile,
  strategy: Strategy,
  freeze: z.array(FreezeWindow),
});
export type Policies = z.infer<typeof Policies>;
