"""The API: operations declared beside their views, and the document that is made of them."""
