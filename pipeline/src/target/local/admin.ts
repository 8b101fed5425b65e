import type { z } from "zod";
import { DeployError } from "../../spec/error.ts";
import { parseJson } from "../../spec/read.ts";
import {
  type AdminProblem,
  type Done,
  PutRevision,
  PutStable,
  PutWeights,
  ReplaceSite,
  RevisionId,
  StopRevision,
} from "../../spec/site.ts";
import type { Site } from "./site.ts";

const done: z.output<typeof Done> = { done: true };
/** How long requests under way may take when the whole site goes down. */
const downDrainSeconds = 10;

export type AdminDeps = {
  site: Site;
  /** Ends the site after the answer is out. */
  end: () => void;
  /** Starts `script` as the next site and ends this one. */
  replace: (script: string) => Promise<void>;
};

/** The admin API: JSON over HTTP on a unix socket that only the site's user can open. */
export function createAdmin({ site, end, replace }: AdminDeps): (request: Request) => Promise<Response> {
  const act = async (request: Request): Promise<unknown> => {
    const [resource = "", id = ""] = new URL(request.url).pathname
      .slice("/v1/".length)
      .split("/")
      .map(decodeURIComponent);
    switch (`${request.method} ${resource}`) {
      case "GET site":
        return site.show();
      case "GET samples":
        return site.samples();
      case "PUT weights":
        await withBody(request, PutWeights, ({ weights, fence }) => site.writeWeights(weights, fence));
        return done;
      case "PUT stable":
        await withBody(request, PutStable, (body) => site.writeStable(body.id, body.fence));
        return done;
      case "PUT revisions":
        return withBody(request, PutRevision, ({ fence, ...wanted }) => site.start(revisionId(id), wanted, fence));
      case "POST stop":
        await withBody(request, StopRevision, (body) => site.stop(revisionId(id), body.drainSeconds, body.fence));
        return done;
      case "POST down":
        await site.stopAll(downDrainSeconds);
        end();
        return done;
      case "POST replace":
        await withBody(request, ReplaceSite, ({ script }) => replace(script));
        return done;
      default:
        throw new DeployError("E_USAGE", `Cannot ${request.method} ${resource}: the admin API has no such call`);
    }
  };
  return async (request) => {
    try {
      return Response.json(await act(request));
    } catch (error) {
      return refusal(error);
    }
  };
}

async function withBody<S extends z.ZodType, T>(
  request: Request,
  schema: S,
  use: (body: z.output<S>) => Promise<T>,
): Promise<T> {
  return use(parseJson(await request.text(), schema, "the request's body"));
}

function revisionId(text: string): string {
  const result = RevisionId.safeParse(text);
  if (!result.success)
    throw new DeployError("E_USAGE", `Cannot use revision id "${text}": ${result.error.issues[0]?.message}`);
  return result.data;
}

function refusal(error: unknown): Response {
  if (error instanceof DeployError) {
    const status = error.code === "E_USAGE" || error.code === "E_FILE" ? 400 : 409;
    return Response.json({ code: error.code, detail: error.message } satisfies AdminProblem, { status });
  }
  console.error(error);
  return Response.json({ code: "E_BUG", detail: String(error) } satisfies AdminProblem, { status: 500 });
}
