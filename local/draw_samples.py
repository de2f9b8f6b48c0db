"""Draw the documents of samples/ again: python -m local.draw_samples

invoice.pdf is written as PDF, its text in Helvetica. photo.jpg is a drawn notice, tilted, blurred and with the noise
of a small camera. Their content is made up.
"""

from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageFont

SAMPLES = Path(__file__).resolve().parent.parent / "samples"

INVOICE = [  # x and y from the lower left in points, size, text
    (60, 770, 22, "Harbour Lane Bicycles"),
    (60, 748, 10, "14 Harbour Lane, Bristol BS1 4ND"),
    (60, 690, 16, "Invoice 2024-0117"),
    (60, 664, 11, "Date: 12 March 2024"),
    (60, 648, 11, "Due: 11 April 2024"),
    (340, 690, 11, "Bill to:"),
    (340, 674, 11, "Ms Ada Winters"),
    (340, 658, 11, "3 Orchard Close, Bath BA2 6QE"),
    (60, 600, 11, "Description"),
    (360, 600, 11, "Quantity"),
    (460, 600, 11, "Amount"),
    (60, 576, 11, "Front wheel, 28 inch"),
    (360, 576, 11, "1"),
    (460, 576, 11, "64.50"),
    (60, 556, 11, "Brake cable"),
    (360, 556, 11, "2"),
    (460, 556, 11, "9.80"),
    (60, 536, 11, "Labour, half an hour"),
    (360, 536, 11, "1"),
    (460, 536, 11, "22.00"),
    (360, 500, 13, "Total"),
    (460, 500, 13, "96.30"),
    (60, 450, 11, "Thank you for riding with us."),
]

NOTICE = ["FERRY TIMES", "Mon to Fri  7:15  9:40  16:05", "Saturday  10:30", "No service on Sunday"]


def invoice() -> bytes:
    """A PDF of one A4 page."""
    text = "".join(f"BT /F1 {size} Tf {x} {y} Td ({words}) Tj ET\n" for x, y, size, words in INVOICE)
    content = f"{text}60 592 m 535 592 l S 360 520 m 535 520 l S\n"
    fonts = "<< /Font << /F1 5 0 R >> >>"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources {fonts} >>",
        f"<< /Length {len(content)} >>\nstream\n{content}endstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    pdf, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(pdf))
        pdf += f"{number} 0 obj\n{body}\nendobj\n"
    entries = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{entries}"
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(pdf)}\n%%EOF\n"
    return (pdf + table + trailer).encode("ascii")


def photo() -> Image.Image:
    """A notice on a wall."""
    picture = Image.new("RGB", (1000, 640), (150, 141, 128))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((110, 110, 890, 530), fill=(238, 234, 220), outline=(52, 60, 70), width=6)
    for line, words in enumerate(NOTICE):
        font = ImageFont.load_default(64 if line == 0 else 40)
        draw.text((500, 180 + 90 * line), words, fill=(28, 44, 84), font=font, anchor="mm")
    picture = picture.rotate(3, Image.Resampling.BICUBIC, fillcolor=(150, 141, 128)).filter(
        ImageFilter.GaussianBlur(0.8)
    )
    random = Random(1)  # noqa: S311 - the same noise every time
    grain = Image.frombytes("L", picture.size, bytes(random.randrange(96, 160) for _ in range(1000 * 640)))
    return Image.blend(picture, Image.merge("RGB", [grain] * 3), 0.15)


if __name__ == "__main__":
    (SAMPLES / "invoice.pdf").write_bytes(invoice())
    photo().save(SAMPLES / "photo.jpg", quality=80)
