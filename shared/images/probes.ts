/**
 * What a space is asked to learn which scores mean nothing, besides what people asked: everyday things, scenes,
 * colours, and much that few picture libraries hold.
 */
export const probePhrases: readonly string[] = `
dog, cat, horse, bird, fish, cow, elephant, butterfly, spider, lion
child, woman, man, baby, crowd, portrait, hands, wedding, football match, concert
car, bicycle, train, aeroplane, ship, bus, motorcycle, tractor, helicopter, rocket
house, church, castle, bridge, tower, skyscraper, street, garden, kitchen, bathroom
beach, mountain, forest, desert, lake, river, waterfall, island, cave, volcano
snow, rain, fog, storm, rainbow, sunset, sunrise, stars, moon, clouds
bread, pizza, apple, banana, coffee, wine, cake, cheese, soup, strawberries
chair, table, lamp, clock, mirror, bed, sofa, bookshelf, window, door
red, green, blue, yellow, purple, orange, pink, brown, black, white
shoe, hat, umbrella, glasses, ring, suitcase, guitar, piano, violin, drum
autumn leaves, cherry blossom, lavender field, sunflowers, cactus, mushrooms, coral reef, night city, campfire, fireworks
newspaper, handwritten letter, road sign, map, banknote, stamp, crossword, sheet music, invoice, chessboard
x-ray of a hand, microscope slide, circuit board, oil refinery, submarine, satellite dish, wind turbine, coal mine, server room, operating theatre
penguin colony, space station, dinosaur skeleton, deep sea squid, lunar rover, viking longship, samurai armour, egyptian mummy, medieval manuscript, steam locomotive
tennis racket, swimming pool, ski lift, golf course, boxing ring, chess tournament, marathon, surfing, ballet, circus
`
  .split(/[,\n]/)
  .map((phrase) => phrase.trim())
  .filter((phrase) => phrase !== "");
