/// What all pages have around their content.
struct Page {
  var title: String
  /// The path of the entry of the navigation that this page is.
  var path: String
  /// What is shown beside the title: the definitions that are served.
  var note: String
  var content: HTML

  /// Nothing is loaded but what the page itself holds.
  static let contentPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

  private static let entries = [("/", "Overview"), ("/explore", "Explore")]

  var text: String {
    let navigation = Self.entries.map { path, name -> HTML in
      let current: HTML = path == self.path ? #" aria-current="page""# : ""
      return #"<a href="\#(path)"\#(current)>\#(name)</a>"#
    }
    let html: HTML = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>\(title) · Seqline</title>
      <link rel="icon" href="data:,">
      <style>\(Stylesheet.text)</style>
      </head>
      <body>
      <a class="skip" href="#main">Skip to content</a>
      <header><strong>Seqline</strong><nav aria-label="Pages">\(navigation)</nav><span class="note">\(note)</span></header>
      <main id="main">
      <h1>\(title)</h1>
      \(content)
      </main>
      </body>
      </html>

      """
    return html.markup
  }
}

/// A table of rows of cells.
struct HTMLTable {
  struct Column {
    var name: String
    /// Numbers stand to the right.
    var isNumber = false
  }

  var caption: String
  var columns: [Column]
  /// Of each row as many cells as there are columns.
  var rows: [[HTML]]

  var html: HTML {
    let head = columns.map { column -> HTML in #"<th scope="col"\#(Self.style(column))>\#(column.name)</th>"# }
    let body = rows.map { row -> HTML in
      let cells = zip(columns, row).enumerated().map { index, cell -> HTML in
        index == 0 ? #"<th scope="row">\#(cell.1)</th>"# : "<td\(Self.style(cell.0))>\(cell.1)</td>"
      }
      return "<tr>\(cells)</tr>\n"
    }
    return """
      <div class="scroll" tabindex="0" role="region" aria-label="\(caption)"><table><caption>\(caption)</caption>
      <thead><tr>\(head)</tr></thead>
      <tbody>\(body)</tbody></table></div>

      """
  }

  private static func style(_ column: Column) -> HTML { column.isNumber ? #" class="number""# : "" }
}
