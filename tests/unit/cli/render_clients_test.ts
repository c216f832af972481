import assert from "node:assert/strict";
import fc from "fast-check";
import type { TransferEvent } from "../../../lib/events.ts";
import { advanceClients, type ClientsView, initialClients } from "../../../lib/cli/clients_view.ts";
import { render } from "../../../lib/cli/render.ts";
import { renderClients } from "../../../lib/cli/render_clients.ts";
import { textWidth } from "../../../lib/cli/text_width.ts";
import { advanceView, initialView } from "../../../lib/cli/view.ts";
import { EVENTS } from "./_fake_world.ts";

const PLAIN = { color: false };
const ROWS = 24;

const viewOf = (...events: TransferEvent[]): ClientsView =>
  events.reduce(advanceClients, initialClients());
const linesOf = (view: ClientsView, columns: number, rows = ROWS) =>
  renderClients(view, { columns, rows }, PLAIN);

/** What leads to a client that takes files. */
function client(session: number, rateBytesPerSecond = 1_000_000): TransferEvent[] {
  const address = `192.0.2.${session}:5000`;
  return [
    { ...EVENTS.connected, session, address },
    { event: "admission", session, address, admitted: true, by: "yes" },
    { ...EVENTS.offer, session },
    { ...EVENTS.progress, session, rateBytesPerSecond },
  ];
}

const identity = {
  event: "identity",
  session: 2,
  key: "00",
  fingerprint: "7g0hz-0xw5k-m5q6t-9rrpv-yscv2",
  name: "bob",
  recognition: "known",
} as const;

/** One that moves, one that is slow, one that asks, one that waits, one that is silent. */
const SEVERAL = viewOf(
  EVENTS.code,
  ...client(1, 11_200_000),
  ...client(2),
  identity,
  {
    ...EVENTS.progress,
    session: 2,
    rateBytesPerSecond: 2_100_000,
    limitedBy: "loss",
    lostShare: 0.02,
  },
  { ...EVENTS.connected, session: 3, address: "192.0.2.3:5000" },
  { ...EVENTS.connected, session: 4, address: "192.0.2.4:5000" },
  { event: "warning", session: 4, code: "waits_for_place", message: "It waits" },
  ...client(5),
  { ...EVENTS.pathLost, session: 5 },
);

Deno.test("renderClients shows a line for each client and one for all, at 60, 80 and 120 columns", () => {
  const wide = [
    "  1 192.0.2.1:5000  24% 11.2 MB/s 4s left",
    "  2 bob             24%  2.1 MB/s 4s left (loses 2 %)",
    "  3 192.0.2.3:5000 asks to be let in",
    "  4 192.0.2.4:5000 waits for a place",
    "  5 192.0.2.5:5000  24% looking for another way …",
    "5 clients, 0 served, 13.3 MB/s",
  ];
  for (const columns of [119, 79, 59]) assert.deepEqual(linesOf(SEVERAL, columns), wide);
});

Deno.test("renderClients keeps who it is and how far in 40 columns", () => {
  assert.deepEqual(
    linesOf(SEVERAL, 39),
    [
      "  1 192.0.2.1:50…  24% 11.2 MB/s 4s left",
      "  2 bob            24%  2.1 MB/s 4s left",
      "  3 192.0.2.3:50… asks to be let in",
      "  4 192.0.2.4:50… waits for a place",
      "  5 192.0.2.5:50…  24%",
      "5 clients, 0 served, 13.3 MB/s",
    ].map((line) =>
      line.replace("…  24% 11.2 MB/s 4s left", "…  24% 11.2 MB/s")
        .replace("bob            24%  2.1 MB/s 4s left", "bob            24%  2.1 MB/s")
    ),
  );
});

Deno.test("renderClients shows one client as send does", () => {
  const events = [EVENTS.code, ...client(1)];
  const alone = events.reduce(advanceView, initialView("send"));
  for (const columns of [40, 60, 80, 120]) {
    assert.deepEqual(linesOf(viewOf(...events), columns), render(alone, columns, PLAIN));
  }
  const silent = viewOf(...events, { ...EVENTS.pathLost, session: 1 });
  assert.deepEqual(linesOf(silent, 80), [" 24% 12.3/50.2 MB looking for another way …"]);
});

Deno.test("renderClients shows as many clients as there is room for, those that move first", () => {
  const waiting: TransferEvent = { ...EVENTS.connected, session: 1, address: "192.0.2.1:5000" };
  const many = viewOf(
    EVENTS.code,
    waiting,
    ...Array.from({ length: 19 }, (_, index) => client(index + 2)).flat(),
  );
  const lines = linesOf(many, 80);
  assert.equal(lines.length, 9);
  assert.match(lines[0]!, /^ {2}2 192\.0\.2\.2:5000/);
  assert.equal(lines[7], "… and 13 more: 12.0 MB/s");
  assert.equal(lines[8], "20 clients, 0 served, 19.0 MB/s");
  assert.equal(linesOf(many, 80, 10).length, 7);
  assert.deepEqual(linesOf(many, 80, 4), ["20 clients, 0 served, 19.0 MB/s"]);
  const nine = viewOf(...Array.from({ length: 9 }, (_, index) => client(index + 1)).flat());
  assert.equal(linesOf(nine, 80)[7], "… and 2 more: 2.0 MB/s");
  const eight = viewOf(...Array.from({ length: 8 }, (_, index) => client(index + 1)).flat());
  assert.ok(!linesOf(eight, 80).some((line) => line.includes("more")));
});

Deno.test("renderClients adds what goes both ways", () => {
  const back = {
    ...EVENTS.progress,
    session: 2,
    back: true,
    bytesDone: 0,
    bytesTotal: 50_200_000,
  } as const;
  const view = viewOf(...client(1), ...client(2), back);
  assert.equal(linesOf(view, 80)[1], "  2 192.0.2.2:5000  12% 12.2 MB/s 4s left");
});

Deno.test("renderClients says nothing at the end, and waits where nobody is", () => {
  assert.deepEqual(linesOf(viewOf(EVENTS.code), 60), [
    "Waiting for the other side … (Ctrl-C ends)",
  ]);
  const closed = {
    event: "closed",
    reason: "closed",
    clients: 0,
    bytes: 0,
    elapsedMs: 1,
    exit: 0,
  } as const;
  assert.deepEqual(linesOf(viewOf(EVENTS.code, ...client(1), closed), 60), []);
});

Deno.test("advanceClients counts who is served, and forgets who is gone", () => {
  const done = { ...EVENTS.done, session: 2 };
  const lost = { ...EVENTS.refused, code: "path_lost", session: 1, fatal: false } as const;
  let view = viewOf(...client(1), ...client(2), ...client(3), done, lost);
  assert.deepEqual(view.clients.map(({ session }) => session), [3]);
  assert.equal(view.servedCount, 1);
  view = advanceClients(view, { event: "kicked", session: 3, address: "192.0.2.3:5000" });
  assert.deepEqual([view.clients.length, view.servedCount], [0, 1]);
});

Deno.test("advanceClients keeps a client until what goes back is done, too", () => {
  const progress = { ...EVENTS.progress, session: 1, back: true } as const;
  const done = { ...EVENTS.done, session: 1 };
  let view = viewOf(...client(1), { ...EVENTS.offer, session: 1, back: true }, progress, done);
  assert.equal(view.clients.length, 1);
  view = advanceClients(view, { ...done, back: true });
  assert.deepEqual([view.clients.length, view.servedCount], [0, 1]);
  // The last report of what is done says nothing.
  const late = viewOf(
    ...client(1),
    ...client(2),
    progress,
    { ...done, back: true },
    progress,
    done,
  );
  assert.deepEqual(late.clients.map(({ session }) => session), [2]);
  // What is not taken ends alone.
  const declined = { ...EVENTS.refused, session: 1, back: true, fatal: false } as const;
  const refused = viewOf(...client(1), { ...EVENTS.offer, session: 1, back: true }, declined);
  assert.equal(refused.clients.length, 1);
  const { connected, offer } = EVENTS;
  const box = viewOf(connected, { ...offer, items: 0 }, { ...offer, back: true }, declined);
  assert.equal(box.clients.length, 0);
});

Deno.test("advanceClients goes on with the client that was lost under its new number", () => {
  const again = { ...EVENTS.connected, session: 3, address: "192.0.2.9:1", resumes: 2 };
  const view = viewOf(...client(1), ...client(2), identity, again);
  assert.deepEqual(view.clients.map(({ session, name }) => [session, name]), [[1, undefined], [
    3,
    "bob",
  ]]);
});

Deno.test("renderClients fits every width and height, with wide and hostile names", () => {
  const names = fc.constantFrom(
    "写真の友達写真の友達写真",
    "a\x1b[2Jb",
    "👩‍👩‍👧‍👦",
    "x".repeat(40),
    undefined,
  );
  const clients = fc.array(fc.record({ name: names, rate: fc.nat(), isSilent: fc.boolean() }), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(clients, fc.nat(130), fc.nat(40), fc.boolean(), (list, columns, rows, color) => {
      const view = viewOf(...list.flatMap(({ name, rate, isSilent }, index): TransferEvent[] => {
        const session = index + 1;
        const named = { ...identity, session, name: name! };
        return [
          ...client(session, rate),
          ...(name === undefined ? [] : [named]),
          ...(isSilent ? [{ ...EVENTS.pathLost, session }] : []),
        ];
      }));
      const lines = renderClients(view, { columns, rows }, { color });
      assert.ok(lines.length <= 9);
      if (list.length > 1) {
        assert.ok(lines.length <= Math.max(1, rows - 3), `${rows}: ${lines.length}`);
      }
      for (const text of lines) {
        // deno-lint-ignore no-control-regex
        const visible = text.replace(/\x1b\[\d*(;\d+)*m/g, "");
        assert.ok(!visible.includes("\x1b"), JSON.stringify(text));
        assert.ok(textWidth(visible) <= columns, `${columns}: ${visible}`);
      }
    }),
  );
});
