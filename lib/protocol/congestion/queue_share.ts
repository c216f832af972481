/**
 * How much a flow may have in flight so that all flows of a link come to the same: what its rate
 * needs without a queue, and a fixed small amount to stand in the queue (FAST TCP: Wei, Jin, Low,
 * Hegde, IEEE/ACM Transactions on Networking 14(6), 2006).
 *
 * ```
 * share ← share + γ · (share · minRtt / (minRtt + queue) + allowance − share)
 * ```
 * All flows of a link see the same queue, and a flow rests where its part of it is its allowance:
 * rate · queue = allowance. So a flow with a larger rate gives way and one with a smaller rate grows,
 * whoever came first, within some dozen round trips. A window of so many bandwidth-delay products
 * cannot do that: it keeps any division there is. The allowance grows with the root of the window:
 * less than in proportion, or it would keep divisions, too; and more than not at all, or it would be
 * too much of a slow link and invisible on a fast one.
 */

/** γ: how far the window goes towards where it should be, in a round trip. */
const STEP = 0.5;
/** Datagrams of allowance for a window of one datagram. */
const ALLOWANCE = 1.2;
const MIN_ALLOWANCE_DATAGRAMS = 2;

/**
 * The window after one round trip.
 *
 * @param shareBytes The window so far.
 * @param minRttMs The path's round trip without a queue.
 * @param queueMs The delay of the queue that stands.
 */
export function nextShare(
  shareBytes: number,
  minRttMs: number,
  queueMs: number,
  datagramBytes: number,
): number {
  const allowance = Math.max(
    ALLOWANCE * Math.sqrt(shareBytes * datagramBytes),
    MIN_ALLOWANCE_DATAGRAMS * datagramBytes,
  );
  const target = shareBytes * minRttMs / (minRttMs + queueMs) + allowance;
  return shareBytes + STEP * (target - shareBytes);
}
