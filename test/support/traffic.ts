const inParallel = 8;

/** Sends GET requests and tells how many each revision answered; throws at the first that failed. */
export async function countAnswers(address: string, requests: number): Promise<Map<string, number>> {
  const answered = new Map<string, number>();
  let left = requests;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      const response = await fetch(address);
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`Cannot count answers: status is ${response.status}`);
      const id = response.headers.get("x-sluice-revision") ?? "unknown";
      answered.set(id, (answered.get(id) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: inParallel }, worker));
  return answered;
}

/** Traffic that goes on while something else happens. */
export type Traffic = {
  /** Resolves when this many more requests have been answered. */
  more: (requests: number) => Promise<void>;
  /** Stops, and tells what came of it. */
  end: () => Promise<{ sent: number; failed: string[] }>;
};

/** Sends requests one after another on a few connections until it is ended; every failed one is noted. */
export function startTraffic(address: string, init: () => RequestInit = () => ({})): Traffic {
  let going = true;
  let sent = 0;
  const failed: string[] = [];
  const waiting = new Set<() => void>();
  const worker = async () => {
    while (going) {
      try {
        const response = await fetch(address, init());
        const body = await response.text();
        if (!response.ok) failed.push(`${response.status} ${body}`);
      } catch (error) {
        failed.push(String(error));
      }
      sent += 1;
      for (const look of waiting) look();
    }
  };
  const workers = Array.from({ length: 4 }, worker);
  return {
    more: (requests) => {
      const target = sent + requests;
      return new Promise((resolve) => {
        const look = () => {
          if (sent < target) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
      });
    },
    end: async () => {
      going = false;
      await Promise.all(workers);
      return { sent, failed };
    },
  };
}
