#!/usr/bin/env bun
import { buildProgram } from "./cli/program.ts";
import { runProgram } from "./cli/run.ts";

const args = process.argv.slice(2);
process.exit(await runProgram(await buildProgram(args), args));
