/**
 * Room before the door of a share, for clients that are connected and that nobody has let in. It is
 * bounded, and who fills it is kept from keeping others out.
 */

/** Clients that are connected and not let in; with one more, the newest of the busiest host goes. */
export const MAX_AT_DOOR = 128;

/**
 * Who has to go when one more comes: where it is full, the newest of the host that most are of.
 *
 * @param atDoor Who is there, in the order they came.
 * @param host Of who comes.
 * @returns `nobody` while there is room, and `newcomer` when most are of its own host.
 */
export function whoGivesWay<Client extends { readonly host: string }>(
  atDoor: readonly Client[],
  host: string,
): Client | "nobody" | "newcomer" {
  if (atDoor.length < MAX_AT_DOOR) return "nobody";
  const counts = new Map<string, number>([[host, 1]]);
  for (const { host } of atDoor) counts.set(host, (counts.get(host) ?? 0) + 1);
  const most = Math.max(...counts.values());
  if (counts.get(host) === most) return "newcomer";
  return atDoor.findLast(({ host }) => counts.get(host) === most)!;
}
