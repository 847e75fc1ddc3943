/** LivePages: the pages that watch a machine, and what each of them is told. */
import { encodeTold, type InspectorUpdate, type WalkAnswer } from '@viommu/inspector';
import type { WebSocket } from 'ws';
import type { ServerWatcher, WatchedMessage } from '../server/server-messages.ts';
import { BOARD_PLACES, WANTS_CHANGES, WANTS_WHOLE, WatchBoard } from '../server/watch-board.ts';
import { readQuestion } from './page-question.ts';

/** Bytes that may wait for a page; one that has more has missed something, and gets all when it has read them. */
const BACKLOG_MAX = 16 << 20;
/** Milliseconds that pages have to read the last of it. */
const PARTING = 1000;
/** WebSocket close codes: RFC 6455, "Defined Status Codes", and IANA's registry. */
const GOING_AWAY = 1001;
const POLICY_VIOLATION = 1008;
const TRY_AGAIN_LATER = 1013;

/** What is used of a WebSocket. */
export type PageSocket = Pick<WebSocket, 'bufferedAmount' | 'close' | 'terminate'> & {
  send(text: string, sent: () => void): void;
  on(event: 'close' | 'error' | 'message', listener: (data: unknown) => void): unknown;
};

interface Page {
  readonly socket: PageSocket;
  /** On the board. */
  readonly place: number;
  /** The answer that it was given last, as text. */
  answer: string | undefined;
  /** Whether it knows all that was told so far. */
  isCurrent: boolean;
}

export class LivePages implements ServerWatcher {
  readonly board = new WatchBoard();
  readonly #pages = new Set<Page>();
  #ended: string | undefined;
  #onEmpty: () => void = () => {};

  /** A page has come; it is told all that there is. */
  add(socket: PageSocket): void {
    const taken = new Set([...this.#pages].map(({ place }) => place));
    const place = Array.from({ length: BOARD_PLACES }, (_, index) => index).find(
      (index) => !taken.has(index),
    );
    socket.on('error', () => {});
    if (this.#ended !== undefined) socket.close(GOING_AWAY, this.#ended);
    else if (place === undefined) {
      socket.close(TRY_AGAIN_LATER, `${BOARD_PLACES} pages are watching already`);
    } else {
      const page: Page = { socket, place, answer: undefined, isCurrent: false };
      this.#pages.add(page);
      socket.on('message', (data) => this.#hear(page, String(data)));
      socket.on('close', () => {
        this.#pages.delete(page);
        this.board.ask(place);
        if (this.#pages.size === 0) this.#onEmpty();
      });
      this.#ask();
    }
  }

  /** Tells it to those for whom it is. */
  take(message: WatchedMessage): void {
    const [changes, whole] = [message.changes, message.whole].map(encodedOnce);
    for (const page of this.#pages) {
      const { bufferedAmount } = page.socket;
      if (page.isCurrent && changes !== undefined && bufferedAmount <= BACKLOG_MAX) {
        this.#send(page, changes());
      } else if (whole !== undefined && bufferedAmount === 0) {
        page.isCurrent = true;
        this.#send(page, whole());
      } else page.isCurrent = false;
      if (page.isCurrent) this.#answer(page, message.walks[page.place]);
    }
    this.#ask();
  }

  /**
   * Nothing more will be told.
   *
   * @param reason what the pages say, at most 123 bytes
   */
  async end(reason: string): Promise<void> {
    this.#ended = reason;
    if (this.#pages.size === 0) return;
    const timer = setTimeout(() => {
      for (const { socket } of this.#pages) socket.terminate();
    }, PARTING);
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      for (const { socket } of this.#pages) socket.close(GOING_AWAY, reason);
    });
    clearTimeout(timer);
  }

  #hear({ socket, place }: Page, text: string): void {
    const question = readQuestion(text);
    if (question === undefined) socket.close(POLICY_VIOLATION, 'a page asks for walks only');
    else this.board.ask(place, question);
  }

  /** Behind the update of the same moment, and only when it is another one. */
  #answer(page: Page, answer: WalkAnswer | undefined): void {
    const text = answer && encodeTold(answer);
    if (text === undefined || text === page.answer) return;
    page.answer = text;
    this.#send(page, text);
  }

  #send(page: Page, text: string): void {
    page.socket.send(text, () => {
      if (!page.isCurrent) this.#ask();
    });
  }

  #ask(): void {
    let wanted = 0;
    for (const { isCurrent, socket } of this.#pages) {
      if (isCurrent) wanted |= WANTS_CHANGES;
      else if (socket.bufferedAmount === 0) wanted |= WANTS_WHOLE;
    }
    this.board.want(wanted);
  }
}

/** For several pages, or for none. */
function encodedOnce(update: InspectorUpdate | undefined): (() => string) | undefined {
  if (update === undefined) return undefined;
  let text: string | undefined;
  return () => {
    text ??= encodeTold(update);
    return text;
  };
}
