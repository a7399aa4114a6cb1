/** Variables that secrets of any fleet come from, as whoever applies it has them. */
export const SECRETS: Readonly<Record<string, string>> = { TOKEN: "t0ken-value", KEY: "k3y-value" };
