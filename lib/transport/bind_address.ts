/** Where a socket is to be bound. */
export interface BindAddress {
  /** Which kind of address `host` is. */
  readonly family: 4 | 6;
  /** A local address; `0.0.0.0` or `::` for every interface. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}
