/** JumpQueue: of the jumps that are asked for while one is under way, only the last is carried out: a slider asks for many. */
export class JumpQueue {
  readonly #jump: (position: number) => void;
  #isJumping = false;
  #next: number | undefined;

  constructor(jump: (position: number) => void) {
    this.#jump = jump;
  }

  ask(position: number): void {
    if (this.#isJumping) {
      this.#next = position;
      return;
    }
    this.#jump(position);
    this.#isJumping = true;
  }

  /** The one that was under way has been carried out. */
  done(): void {
    const next = this.#next;
    this.forget();
    if (next !== undefined) this.ask(next);
  }

  /** Something else was asked for meanwhile. */
  forget(): void {
    this.#isJumping = false;
    this.#next = undefined;
  }
}
