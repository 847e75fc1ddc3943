/** Where a run says what it does and what came out. Types only. */

export interface Output {
  print(text: string): void;
  progress(text: string): void;
}
