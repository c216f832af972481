import config from "../deno.json" with { type: "json" };

/** Version of the package, as published. */
export const VERSION: string = config.version;
