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
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

  /// Three events in a row.
  private static let icon =
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cg fill='%230b6bcb'%3E"
    + "%3Ccircle cx='3' cy='8' r='2'/%3E%3Ccircle cx='8' cy='8' r='2'/%3E%3Ccircle cx='13' cy='8' r='2'/%3E%3C/g%3E%3C/svg%3E"

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
      <link rel="icon" href="\(Self.icon)">
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
    /// Left out where there is little room.
    var isExtra = false

    var attributes: HTML {
      switch (isNumber, isExtra) {
      case (false, false): ""
      case (true, false): #" class="number""#
      case (false, true): #" class="extra""#
      case (true, true): #" class="number extra""#
      }
    }
  }

  var caption: String
  var columns: [Column]
  /// Of each row as many cells as there are columns.
  var rows: [[HTML]]

  var html: HTML {
    let head = columns.map { column -> HTML in #"<th scope="col"\#(column.attributes)>\#(column.name)</th>"# }
    let body = rows.map { row -> HTML in
      let cells = zip(columns, row).enumerated().map { index, cell -> HTML in
        index == 0 ? #"<th scope="row">\#(cell.1)</th>"# : "<td\(cell.0.attributes)>\(cell.1)</td>"
      }
      return "<tr>\(cells)</tr>\n"
    }
    return """
      <div class="panel"><p>\(caption)</p>
      <div class="scroll" tabindex="0" role="region" aria-label="\(caption)"><table aria-label="\(caption)">
      <thead><tr>\(head)</tr></thead>
      <tbody>\(body)</tbody></table></div></div>

      """
  }
}
