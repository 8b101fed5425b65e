#!/usr/bin/env node
import { fileURLToPath } from "node:url";
import { runBun } from "./runtime.mjs";

runBun([fileURLToPath(new URL("../pipeline/src/cli.ts", import.meta.url)), ...process.argv.slice(2)]);
