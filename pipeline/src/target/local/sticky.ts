/** A client that sends one of these stays with one revision as long as the weights allow. */
const stickyHeader = "x-sluice-sticky";
const stickyCookie = /(?:^|;\s*)sluice_sticky=([^;]+)/;

/** What the client wants to be recognised by, or undefined. */
export function stickyKey(headers: Headers): string | undefined {
  return headers.get(stickyHeader) ?? stickyCookie.exec(headers.get("cookie") ?? "")?.[1];
}

/**
 * Chooses by weighted rendezvous: over many keys the shares are those of the weights, and when a weight grows, keys move
 * to that choice only. (Thaler and Ravishankar 1998; weights as `-w / ln(u)`.)
 */
export function chooseSticky<T extends { id: string; weight: number }>(
  key: string,
  choices: readonly T[],
): T | undefined {
  let best: { choice: T; score: number } | undefined;
  for (const choice of choices) {
    const score = choice.weight / -Math.log(unit(`${key}\0${choice.id}`));
    if (best === undefined || score > best.score) best = { choice, score };
  }
  return best?.choice;
}

/** A number in (0, 1), always the same for the same text. */
function unit(text: string): number {
  const high = Number(BigInt(Bun.hash(text)) >> 11n); // 53 bits
  return (high + 0.5) / 2 ** 53;
}
