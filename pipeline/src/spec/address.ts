/**
 * Headers that lead to the one revision that an address names in its fragment: `http://site:8000#green` is `green` behind
 * the router at `site`. None for an address without a fragment, which is the revision's own.
 */
export function armHeaders(address: string): Record<string, string> {
  const arm = new URL(address).hash.slice(1);
  return arm === "" ? {} : { "x-sluice-arm": arm };
}
