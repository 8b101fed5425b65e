import type { Served } from "./telemetry.ts";

export type ModelName = { name: string; version: string };

type Labels = Record<string, string | number>;

/** The labels of what belongs to one model. */
export function labelsOf({ name, version }: ModelName): Labels {
  return { "model.name": name, "model.version": version };
}

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** A method's name, or OpenTelemetry's word for those that a client makes up. */
export function methodOf(method: string): string {
  return methods.has(method) ? method : "_OTHER";
}

const modelRoute = /^\/v[12]\/models\/([^/:]+)(?:\/versions\/([^/:]+))?\/(?:predict|infer)$/;

/**
 * The labels of answered requests: method, route, status, and the model that was asked. Routes are patterns, so there
 * are few; each set of labels is made once.
 */
export function createRouteLabels() {
  const newest = new Map<string, string>();
  const made = new Map<string, Labels>();
  const make = ({ method, route, status }: Omit<Served, "durationMs">): Labels => {
    const labels: Labels = { "http.request.method": method, "http.route": route, "http.response.status_code": status };
    const [, name = "", version = newest.get(name)] = modelRoute.exec(route) ?? [];
    return version === undefined ? labels : { ...labels, ...labelsOf({ name, version }) };
  };
  return {
    /** A route that names no version asks the newest. */
    add({ name, version }: ModelName): void {
      const known = newest.get(name);
      if (known === undefined || version.localeCompare(known, "en", { numeric: true }) > 0) newest.set(name, version);
    },
    of(request: Omit<Served, "durationMs">): Labels {
      const method = methodOf(request.method);
      const key = `${method} ${request.status} ${request.route}`;
      let labels = made.get(key);
      if (labels === undefined) {
        labels = make({ ...request, method });
        made.set(key, labels);
      }
      return labels;
    },
  };
}
