// The visible text of a page, a run for each text node: see Text in browser.py.
() => {
  const headline = document.querySelector('h1 .brand')
  const blocks = []
  const blockOf = (element) => {
    while (getComputedStyle(element).display.startsWith('inline')) element = element.parentElement
    return blocks.includes(element) ? blocks.indexOf(element) : blocks.push(element) - 1
  }
  const runs = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const node = walker.currentNode
    const parent = node.parentElement
    const style = getComputedStyle(parent)
    if (!node.data.trim() || style.visibility !== 'visible') continue
    const range = document.createRange()
    range.selectNodeContents(node)
    const boxes = [...range.getClientRects()].filter((box) => box.width > 1 && box.height > 1)
      .map((box) => [box.left + scrollX, box.top + scrollY, box.right + scrollX, box.bottom + scrollY])
    if (!boxes.length) continue
    runs.push({
      words: node.data.trim(), boxes, size: parseFloat(style.fontSize), bold: Number(style.fontWeight) >= 700,
      block: blockOf(parent), headline: headline !== null && headline.contains(node),
      cell: parent.closest('table')?.rows[0]?.cells[0]?.tagName === 'TH',
    })
  }
  return runs
}
