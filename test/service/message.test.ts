import { expect, test } from "bun:test";
import { packTasks, type Task, unpackTasks } from "../../service/src/message.ts";

const task = (text: string): Task => ({ input: { kind: "json", text }, wantOutputs: false });

test("a batch of JSON goes as one text and comes out as it was", () => {
  const tasks = [task('{"a":\n1}'), task(" [1,2] "), task("not json"), task("")];
  const packed = packTasks(tasks);
  expect(typeof packed === "string" && unpackTasks(packed)).toEqual(tasks);
});

test("text that holds the separator cannot become two requests", () => {
  const tasks = [task("1\x1e2"), task("3")];
  expect(packTasks(tasks)).toEqual(tasks);
});
