#!/usr/bin/env node
import { runBun } from "./runtime.mjs";

runBun(process.argv.slice(2));
