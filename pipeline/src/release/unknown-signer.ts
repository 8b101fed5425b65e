import { DeployError } from "../spec/error.ts";

/** A signature that may be good, but by nobody whom the trust policy knows. */
export class UnknownSigner extends DeployError {
  constructor(message: string) {
    super("E_DIGEST", message);
  }
}
