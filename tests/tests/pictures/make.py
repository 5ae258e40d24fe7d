"""Pictures of kinds that the crate `image` does not write, beside this file.

    python3 -m venv build/pictures && build/pictures/bin/pip install pillow
    build/pictures/bin/python tests/tests/pictures/make.py
"""

from pathlib import Path

from PIL import Image

folder = Path(__file__).parent
size = (12, 9)

# bars of four colours of a palette
palette = Image.new("P", size)
palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 40, 50, 60])
palette.putdata([x // 3 for _ in range(size[1]) for x in range(size[0])])
palette.save(folder / "palette.png", optimize=True)

# half of the cyan, a fifth of the black
Image.new("CMYK", (16, 16), (128, 0, 0, 51)).save(folder / "cmyk.jpg", quality=95)

# the left half white; to be turned by a quarter to the right, so that white comes to the top
turned = Image.new("L", (16, 8))
turned.paste(255, (0, 0, 8, 8))
exif = Image.Exif()
exif[0x0112] = 6
turned.save(folder / "turned.jpg", quality=95, exif=exif)
