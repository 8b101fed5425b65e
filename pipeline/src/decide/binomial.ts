/** The chance of at least `hits` hits in `trials` trials that hit with chance `p` (0..1). */
export function binomialTail(hits: number, trials: number, p: number): number {
  if (hits <= 0) return 1;
  if (hits > trials) return 0;
  // Summed from the far side of the mode, so that the first term is the largest and never too small to hold.
  if (hits < trials * p) return 1 - binomialTail(trials - hits + 1, trials, 1 - p);
  const odds = p / (1 - p);
  let term = Math.exp(logChoose(trials, hits) + hits * Math.log(p) + (trials - hits) * Math.log1p(-p));
  let sum = term;
  for (let i = hits; i < trials; i++) {
    term *= ((trials - i) / (i + 1)) * odds;
    sum += term;
    if (term < sum * 1e-16) break;
  }
  return Math.min(1, sum);
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** Stirling's series; its error is below 1e-10 from 10 on. */
function logFactorial(n: number): number {
  if (n < 10) {
    let product = 1;
    for (let i = 2; i <= n; i++) product *= i;
    return Math.log(product);
  }
  const inverse = 1 / n;
  const series = inverse / 12 - inverse ** 3 / 360 + inverse ** 5 / 1260;
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + series;
}
