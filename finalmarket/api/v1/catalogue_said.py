"""What is said of products, variants and categories to make and to change them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from finalmarket.api.v1.shapes import MOST_TEXT, Currency, Kept, Money, Number, Said, Sku, said_of
from finalmarket.channels.catalogue import Picture, Priced, VariantTold

MOST_VARIANTS, MOST_PICTURES, MOST_COMPONENTS, MOST_CURRENCIES, MOST_WORDS = 100, 50, 100, 50, 50
MOST_MILLIMETRES = MOST_GRAMS = 2**31 - 1
MAY_BE_NULL = frozenset({"cost", "weight_grams", "length_mm", "width_mm", "height_mm"})
Status = Literal["draft", "active", "archived"]
Word = Annotated[str, Field(min_length=1, max_length=100)]


def _address(written: str) -> str:
    if not written.startswith(("https://", "http://")):
        raise ValueError("an address begins with https:// or http://")
    return written


class PriceSaid(Said):
    """What a variant costs in one currency unless a listing says otherwise."""

    amount: Money
    compare_at: Money | None = Field(None, description="The former price, shown struck through")


class PictureSaid(Said):
    """A picture, by address."""

    url: Annotated[str, Field(max_length=1_000), AfterValidator(_address)]
    alt_text: str = Field("", max_length=500)


class OptionSaid(Said):
    """By what variants are told apart, in the order in which it is shown."""

    name: str = Field(min_length=1, max_length=100)
    values: list[Word] = Field(max_length=500)


class ComponentSaid(Said):
    """So many units of a variant are in one bundle."""

    variant: Number
    quantity: int = Field(ge=1, le=1_000_000)


class VariantChange(Said):
    """What is said to change a variant: what is left out stays as it is, and so does what is null, but for measures
    and cost. `prices` are by currency, null takes one away; a former price that is not said stays. `components` make it
    a bundle of these; none of them: it is none."""

    sku: Sku | None = None
    barcode: str | None = Field(None, max_length=50, description="GTIN, EAN, UPC or ISBN")
    title: str | None = Field(None, max_length=300, description="What sets it apart")
    option_values: dict[Word, Word] | None = Field(None, max_length=MOST_WORDS)
    cost: Money | None = Field(None, description="What a unit costs to buy; told to nobody here")
    cost_currency: Currency | None = None
    weight_grams: int | None = Field(None, ge=0, le=MOST_GRAMS)
    length_mm: int | None = Field(None, ge=0, le=MOST_MILLIMETRES)
    width_mm: int | None = Field(None, ge=0, le=MOST_MILLIMETRES)
    height_mm: int | None = Field(None, ge=0, le=MOST_MILLIMETRES)
    origin_country: str | None = Field(None, pattern="^([A-Z]{2})?$")
    hs_code: str | None = Field(None, pattern="^([0-9]{6,12})?$")
    tax_class: str | None = Field(None, min_length=1, max_length=50)
    is_active: bool | None = Field(None, description="false: it is sold nowhere")
    prices: dict[Currency, PriceSaid | None] = Field(default_factory=dict, max_length=MOST_CURRENCIES)
    components: list[ComponentSaid] | None = Field(None, max_length=MOST_COMPONENTS)

    @model_validator(mode="after")
    def _names_each_component_once(self) -> "VariantChange":
        named = [one.variant for one in self.components or ()]
        if len(set(named)) < len(named):
            raise ValueError("components: a variant is named twice; say how many units of it are in one bundle")
        return self

    def told(self) -> VariantTold:
        """The same for the verbs."""
        parts = None if self.components is None else {one.variant: one.quantity for one in self.components}
        prices = {
            currency: None
            if one is None
            else Priced(one.amount, one.compare_at, "compare_at" not in one.model_fields_set)
            for currency, one in self.prices.items()
        }
        return VariantTold(said_of(self, MAY_BE_NULL, but={"prices", "components"}), prices, parts)


class VariantSaid(VariantChange):
    """A new variant."""

    sku: Sku


class ProductChange(Said):
    """What is said to change a product: what is left out stays as it is, and so does what is null, but for the
    category. `images` are all of its pictures, the main one first."""

    title: str | None = Field(None, min_length=1, max_length=500)
    slug: str | None = Field(None, pattern=r"^[-\w]+$", max_length=255, description="By default made from the title")
    description: str | None = Field(None, max_length=MOST_TEXT)
    brand: str | None = Field(None, max_length=200)
    category: Number | None = None
    options: list[OptionSaid] | None = Field(None, max_length=MOST_WORDS)
    attributes: Kept | None = None
    status: Status | None = None
    images: list[PictureSaid] | None = Field(None, max_length=MOST_PICTURES)

    def fields_said(self) -> dict[str, Any]:
        """What was said of its fields."""
        said = said_of(self, frozenset({"category"}), but={"images", "variants"})
        if "category" in said:
            said["category_id"] = said.pop("category")
        return said

    def pictures(self) -> list[Picture] | None:
        """What was said of its pictures."""
        return None if self.images is None else [Picture(one.url, one.alt_text) for one in self.images]


class ProductSaid(ProductChange):
    """A new product, with its variants where they are known already."""

    title: str = Field(min_length=1, max_length=500)
    variants: list[VariantSaid] = Field(default_factory=list, max_length=MOST_VARIANTS)


class CategoryChange(Said):
    """What is said to change a category; a `parent` of null puts it at the top."""

    name: str | None = Field(None, min_length=1, max_length=200)
    slug: str | None = Field(
        None, pattern=r"^[-a-zA-Z0-9_]+$", max_length=200, description="By default made from the name"
    )
    parent: Number | None = None

    def fields_said(self) -> dict[str, Any]:
        """What was said of its fields."""
        said = said_of(self, frozenset({"parent"}))
        if "parent" in said:
            said["parent_id"] = said.pop("parent")
        return said


class CategorySaid(CategoryChange):
    """A new category."""

    name: str = Field(min_length=1, max_length=200)
