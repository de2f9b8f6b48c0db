// The few items last used. Older ones are released, so that a long document does not fill the tab's memory.

export class Recent {
  #most;
  #letGo;
  #items = new Map();

  constructor(most, letGo = () => {}) {
    this.#most = most;
    this.#letGo = letGo;
  }

  get(key) {
    const item = this.#items.get(key);
    if (item !== undefined) { this.#items.delete(key); this.#items.set(key, item); }
    return item;
  }

  set(key, item) {
    if (this.#items.has(key)) this.#letGo(this.#items.get(key));
    this.#items.set(key, item);
    while (this.#items.size > this.#most) this.#drop(this.#items.keys().next().value);
    return item;
  }

  clear() { for (const key of [...this.#items.keys()]) this.#drop(key); }

  #drop(key) {
    const item = this.#items.get(key);
    this.#items.delete(key);
    this.#letGo(item);
  }
}
