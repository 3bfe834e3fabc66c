/** What TLS needs, from files that the worker's environment names. */

import { readFileSync } from "node:fs";

/** The parts of Node's `tls.connect` options that are files. */
export interface TlsFiles {
  ca?: Buffer;
  cert?: Buffer;
  key?: Buffer;
}

/**
 * Reads PEM files: `PREFIX_CA` (authorities in place of Node's own), `PREFIX_CERTIFICATE` and
 * `PREFIX_PRIVATE_KEY` (the worker's own). The error of one that cannot be read names the variable.
 */
export function tlsFiles(prefix: "WOVE_GRPC" | "WOVE_HTTPS"): TlsFiles {
  const names = { ca: "CA", cert: "CERTIFICATE", key: "PRIVATE_KEY" } as const;
  const found: TlsFiles = {};
  for (const [option, name] of Object.entries(names) as [keyof TlsFiles, string][]) {
    const path = process.env[`${prefix}_${name}`];
    if (path) {
      try {
        found[option] = readFileSync(path);
      } catch (error) {
        (error as Error).message = `${prefix}_${name}: ${(error as Error).message}`;
        throw error;
      }
    }
  }
  return found;
}
