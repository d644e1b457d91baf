/** Files to the person's own disk. */

export function saveText(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  saveAddress(address, name);
  setTimeout(() => { URL.revokeObjectURL(address); }, 10_000);
}

/** Let the browser fetch an address and keep it as a file. */
export function saveAddress(address: string, name: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}
