import { describe, expect, test } from "bun:test";
import { emptySample, type Sample } from "../../../pipeline/src/spec/sample.ts";
import { haproxyConfig } from "../../../pipeline/src/target/haproxy/config.ts";
import { goOn, samplesOf, total } from "../../../pipeline/src/target/haproxy/samples.ts";
import { parseGeneration, parseMet, parseStat, parseTable } from "../../../pipeline/src/target/haproxy/show.ts";

// As HAProxy 2.6.12 printed it, the columns that nobody reads left out: after 200, 500, a time-out, two resets, an answer
// that was cut, and four refusals that another revision answered.
const stat = `# pxname,svname,scur,stot,econ,eresp,wredis,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,cli_abrt,srv_abrt,weight,status
site,FRONTEND,1,9,,,,0,8,0,0,5,0,,,,OPEN
revisions,a,0,6,0,0,0,0,6,0,0,0,0,0,0,50,UP
revisions,b,0,11,0,6,4,0,2,0,0,1,0,0,1,50,UP 1/3
revisions,BACKEND,0,13,0,6,4,0,8,0,0,5,0,0,1,100,UP`;

const table = `# table: sluice_latency, type: string, size:102400, used:3
0x55b5f73b07d8: key=a/102/4 use=0 exp=0 gpc0=1
0x55b5f73b0ce8: key=a/458/3 use=0 exp=0 gpc0=4
0x55b5f73b0988: key=b/42/2 use=0 exp=0 gpc0=2`;

function aSample(change: Partial<Sample>): Sample {
  return { ...emptySample, ...change };
}

describe("samplesOf()", () => {
  const samples = samplesOf(parseStat(stat, "revisions"), parseTable(table));

  test("counts failures that have no answer, and an answer that was cut", () => {
    expect(samples.b).toMatchObject({ requests: 11, errors: 10, clientErrors: 0 });
    expect(samples.a).toMatchObject({ requests: 6, errors: 0 });
  });

  test("tells latency by upper edge, ascending", () => {
    expect(samples.a?.latency).toEqual([
      [458, 4],
      [1029, 1],
    ]);
    expect(samples.b?.latency).toEqual([[42, 2]]);
  });
});

describe("goOn()", () => {
  const one = { a: aSample({ requests: 10, errors: 1, latency: [[100, 9]] }) };

  test("adds what earlier processes counted", () => {
    const kept = goOn(goOn(undefined, "1@1", one), "2@2", {
      a: aSample({
        requests: 5,
        latency: [
          [100, 2],
          [200, 3],
        ],
      }),
    });
    expect(total(kept).a).toEqual(
      aSample({
        requests: 15,
        errors: 1,
        latency: [
          [100, 11],
          [200, 3],
        ],
      }),
    );
  });

  test("lets no count become smaller while requests are under way", () => {
    const kept = goOn(goOn(undefined, "1@1", one), "1@1", { a: aSample({ requests: 9, latency: [[100, 9]] }) });
    expect(total(kept).a?.requests).toBe(10);
  });

  test("forgets servers that the new process does not know", () => {
    expect(Object.keys(total(goOn(goOn(undefined, "1@1", one), "2@2", { b: emptySample })))).toEqual(["b"]);
  });
});

test("parseMet() tells what clients met, each request once, and HAProxy's own words for what was refused", () => {
  expect(parseMet(stat, "revisions")).toEqual({ requests: 13, errors: 5 });
});

test("parseGeneration() tells one process from the next", () => {
  expect(parseGeneration("Name: HAProxy\nPid: 20066\nUptime: 0d 0h00m07s\nStart_time_sec: 1795527973")).toBe(
    "20066@1795527973",
  );
});

test.each([
  ["nothing", ""],
  ["another backend", stat.replaceAll("revisions", "others")],
  ["a column that is missing", stat.replace("hrsp_5xx", "other")],
])("parseStat() refuses %s", (_, text) => {
  expect(() => parseStat(text, "revisions")).toThrow("Cannot read HAProxy's");
});

test.each(["127.0.0.1:80\n  daemon", "127.0.0.1:80 ssl", "#"])("haproxyConfig() refuses to listen at %j", (bind) => {
  expect(() => haproxyConfig({ bind, socket: "/run/h.sock" }, [])).toThrow("Cannot configure HAProxy");
});
