//! Shapes that cost naive parsers most: depth, width, repetition.

use super::MOST;

/// Repeated up to so many bytes.
fn fill(part: &str, most: usize) -> String {
    part.repeat(most / part.len())
}

/// JSON as long as an input may be.
pub fn json() -> Vec<Vec<u8>> {
    json_of(MOST - 2000)
}

/// JSON of about so many bytes.
pub fn json_of(most: usize) -> Vec<Vec<u8>> {
    let names: String = (0..most / 12).map(|at| format!("\"{at:06}\":1,")).collect();
    let same = fill("\"a\":1,", most - 20);
    [
        fill("[", most),
        fill("{\"a\":", most),
        format!("[{}]", fill("1,", most - 4)),
        format!("{{{names}\"z\":1}}"),
        format!("{{{same}\"z\":1}}"),
        format!("{{\"a\":\"{}\"}}", fill("\\u0041", most - 10)),
        format!("{{\"keys\":[{}{{}}]}}", fill("{},", most - 20)),
        format!("{{\"keys\":[{}{{}}]}}", fill("{\"kid\":\"a\"},", most - 20)),
        format!("{{\"a\":{}}}", fill("9", most - 10)),
        format!("{{\"a\":1e{}}}", fill("9", most - 10)),
        format!("{{\"a\":-0.{}1}}", fill("0", most - 10)),
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// XML of that length.
pub fn xml() -> Vec<Vec<u8>> {
    let most = MOST - 200;
    let attributes: String = (0..most / 11).map(|at| format!(" a{at:05}=\"\"")).collect();
    let spaces: String = (0..most / 26).map(|at| format!(" xmlns:p{at:05}=\"urn:{at:05}\"")).collect();
    let nested: String = (0..30).map(|at| format!("<a xmlns:p{at}=\"urn:{}\">", "x".repeat(240))).collect();
    let wide = format!("{nested}{}{}", fill("<b/>", most - nested.len() - 200), "</a>".repeat(30));
    [
        fill("<a>", most),
        format!("<a>{}</a>", fill("<b/>", most)),
        format!("<a>{}</a>", fill("<b></b>", most)),
        format!("<a{attributes}/>"),
        format!("<a{spaces}/>"),
        format!("<a>{}</a>", fill("&#x41;", most)),
        format!("<a>{}</a>", fill("&amp;", most)),
        format!("<a b=\"{}\"/>", fill("&lt;", most)),
        format!("<a>{}</a>", fill("\r", most)),
        format!("<a>{}", fill("<", most)),
        format!("<a{}", fill(" ", most)),
        format!("<{}", fill("a", most)),
        format!("<a xmlns=\"urn:{}\">{}</a>", "x".repeat(240), fill("<b/>", most - 300)),
        fill("<!-- ", most),
        format!("<a>{}", fill("<![CDATA[", most)),
        wide,
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// BER and DER of that length.
pub fn der() -> Vec<Vec<u8>> {
    let most = MOST - 100;
    let value = |tag: u8, content: &[u8]| {
        let length = content.len().to_be_bytes();
        [&[tag, 0x83][..], &length[5..], content].concat()
    };
    // One inside of the other, each with its length.
    let mut nested = Vec::new();
    while nested.len() < most {
        nested = value(0x30, &nested);
        if nested.len() > 3000 {
            break;
        }
    }
    let open = [[0x30, 0x80].repeat(most / 4), vec![0; most / 2]].concat();
    let signed_data = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
    let inside = |content: &[u8]| value(0x30, &[&signed_data[..], &value(0xa0, &value(0x30, content))].concat());
    vec![
        nested,
        open,
        [0x30, 0x80].repeat(most / 2),
        [0x24, 0x80].repeat(most / 2),
        // A text in very many pieces.
        [&[0x24, 0x80][..], &[0x04, 0x01, 0x61].repeat(most / 3 - 2), &[0, 0]].concat(),
        [&[0x24, 0x80][..], &[0x04, 0x00].repeat(most / 2 - 2), &[0, 0]].concat(),
        // Pieces of pieces.
        [[0x24, 0x80].repeat(16), [0x04, 0x00].repeat(most / 2 - 40), [0, 0].repeat(16)].concat(),
        value(0x30, &[0x05, 0x00].repeat(most / 2)),
        inside(&[&[2, 1, 1][..], &value(0x31, &[0x30, 0x00].repeat(most / 2 - 40))].concat()),
        inside(
            &[&[2, 1, 1][..], &value(0x31, &[]), &value(0x30, &[]), &value(0xa0, &[0x30, 0x00].repeat(most / 2 - 60))].concat(),
        ),
        value(0x02, &vec![0xff; most]),
    ]
}

/// TOML of that length.
pub fn toml() -> Vec<Vec<u8>> {
    let most = MOST - 200;
    let tables: String = (0..most / 10).map(|at| format!("[a{at:06}]\n")).collect();
    let dotted: String = (0..most / 12).map(|at| format!("a.b{at:06}=1\n")).collect();
    let lists: String = (0..most / 14).map(|at| format!("[[a.b{at:06}]]\n")).collect();
    [
        format!("a = {}", fill("[", most)),
        format!("a = {}", fill("{a=", most)),
        format!("{}a=1", fill("a.", most)),
        format!("[{}a]", fill("a.", most)),
        format!("a = [{}]", fill("1,", most)),
        format!("a = \"{}\"", fill("\\u0041", most)),
        format!("a = '''{}", fill("'", most)),
        fill("[[trust.oidc]]\n", most),
        fill("a=1\n", most),
        format!("{}=1", fill("a", most)),
        format!("[trust]\nrequire = [{}]", fill("\"oidc:a\",", most)),
        fill("\n", most),
        fill("#\n", most),
        tables,
        dotted,
        lists,
    ]
    .map(String::into_bytes)
    .to_vec()
}
