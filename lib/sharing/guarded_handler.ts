/**
 * Keeps what a session throws, because of a bug or of whatever a storage does, to that session: the
 * sockets' callbacks, through which it would go otherwise, serve all clients of a share.
 */
import type { ChannelHandler, OutgoingBlock } from "../protocol/channel.ts";

/** Calls the handler of one connection, and ends its session when that throws. */
export class GuardedHandler implements ChannelHandler {
  readonly #handler: ChannelHandler;
  readonly #onCrash: (error: unknown) => void;

  /**
   * @param handler What is called.
   * @param onCrash Told what it threw; ends the session.
   */
  constructor(handler: ChannelHandler, onCrash: (error: unknown) => void) {
    this.#handler = handler;
    this.#onCrash = onCrash;
  }

  /** See {@linkcode ChannelHandler.handleControl}. */
  handleControl(bytes: Uint8Array): void {
    try {
      this.#handler.handleControl(bytes);
    } catch (error) {
      this.#onCrash(error);
    }
  }

  /** See {@linkcode ChannelHandler.handleBlock}. */
  handleBlock(request: number, offset: number, bytes: Uint8Array): number {
    try {
      return this.#handler.handleBlock(request, offset, bytes);
    } catch (error) {
      this.#onCrash(error);
      return 0;
    }
  }

  /** See {@linkcode ChannelHandler.handleBlockReleased}. */
  handleBlockReleased(block: OutgoingBlock): void {
    try {
      this.#handler.handleBlockReleased(block);
    } catch (error) {
      this.#onCrash(error);
    }
  }

  /** See {@linkcode ChannelHandler.handleWritable}. */
  handleWritable(): void {
    try {
      this.#handler.handleWritable();
    } catch (error) {
      this.#onCrash(error);
    }
  }
}
