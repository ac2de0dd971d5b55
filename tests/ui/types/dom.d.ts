// What the pages take for granted of the browser, and its own types do not say.

interface EventTarget {
  /** The document is a target too, and has none. */
  closest?(selectors: string): any;
}

interface Element {
  /** Whatever is found by a selector here can be focused. */
  focus(options?: FocusOptions): void;
}

/** What the shells write on their root. */
interface DOMStringMap {
  house: string;
  profile: string;
  zone: string;
  demo: string;
}
