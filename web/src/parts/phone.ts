/** A number in the groups people read it in: 138 0013 8000; others stay whole. */
export function phoneParts(number: string): string[] {
  if (/^1\d{10}$/.test(number)) return [number.slice(0, 3), number.slice(3, 7), number.slice(7)]
  const landline = /^(0(?:10|2\d|[3-9]\d{2}))(\d{4})(\d{3,4})$/.exec(number)
  return landline ? landline.slice(1) : [number]
}

/** What is dialled of a number as people write it: 138-0013 8000 → 13800138000. */
export function digitsOf(number: string): string {
  return number.replace(/[^0-9]/g, '').slice(0, 20)
}
