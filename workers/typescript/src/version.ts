/** The version of this package, as `wove_version` of a summary. */
export const VERSION = "3.0.0-dev.0";
