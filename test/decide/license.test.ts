import { expect, test } from "bun:test";
import { isAllowed } from "../../pipeline/src/decide/license.ts";

test.each([
  ["MIT", true],
  ["mit", true],
  ["GPL-3.0-only", false],
  ["", false],
  ["MIT OR GPL-3.0-only", true],
  ["GPL-3.0-only OR (MIT AND ISC)", true],
  ["MIT AND GPL-3.0-only", false],
  ["(MIT", false],
  ["MIT ISC", false],
  ["Apache-2.0 WITH LLVM-exception", false],
  ["GPL-2.0-only WITH Classpath-exception-2.0", true],
  ["MIT OR", false],
] as const)("isAllowed() on %p is %p", (expression, allowed) => {
  expect(isAllowed(expression, ["MIT", "ISC", "GPL-2.0-only WITH Classpath-exception-2.0"])).toBe(allowed);
});
